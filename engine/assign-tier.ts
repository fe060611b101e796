import { encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { program } from './earning/configuration.ts'
import { ladderNamed } from './earning/ladders.ts'
import type { AssignTierAsk, Facts, ReleaseTierAsk } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { type Changes, type Decision, isRefusal, type Verb } from './gate/decisions.ts'
import { findMember, type Slices } from './gate/slices.ts'
import { coursesOf, type LadderCourse } from './gate/tier-courses.ts'
import { tierKey } from './gate/tier-keys.ts'
import { tierChanges } from './gate/tiers.ts'
import type { MemberState } from './ledger/books.ts'
import type { Manual, TierState } from './tiers/tiers.ts'

/**
 * What happens when somebody gives a member a tier, until an instant or for ever: the member holds at least that one;
 * what is earned higher stands. A later assignment on the same ladder replaces it. Refusals: member_unknown,
 * member_suspended, tier_ladder_unknown, tier_unknown, invalid_request.
 */
export const assignTier: Verb<AssignTierAsk> = {
  name: () => undefined,
  needs() {},
  furtherNeeds() {},

  decide(slices, ask, facts) {
    const found = find(slices, ask, facts)
    if (isRefusal(found)) return found
    const { course, member } = found
    if (member.status !== 1)
      return refusal('member_suspended', 'this member is suspended or closed: nothing was changed')
    if (!course.ladder.terms.tiers.some(({ slug }) => slug === ask.tier))
      return refusal('tier_unknown', `the ladder "${course.ladder.slug}" has no tier "${ask.tier}"`)
    if (ask.until !== undefined && ask.until <= facts.now) {
      const errors = [{ pointer: '/until', detail: 'is over already' }]
      return refusal('invalid_request', 'the tier would end before it begins', errors)
    }
    const manual: Manual = {
      tier: ask.tier,
      until: ask.until ?? null,
      reason: ask.reason,
      by: facts.actor ?? null,
    }
    return concluded(slices, found, manual, ask.reason, facts)
  },
}

/**
 * What happens when what was assigned is taken away again: the member holds what it has earned. Twice is once.
 * Refusals: member_unknown, tier_ladder_unknown.
 */
export const releaseTier: Verb<ReleaseTierAsk> = {
  name: () => undefined,
  needs() {},
  furtherNeeds() {},

  decide(slices, ask, facts) {
    const found = find(slices, ask, facts)
    return isRefusal(found) ? found : concluded(slices, found, null, ask.reason, facts)
  },
}

type Found = { course: LadderCourse; member: MemberState }

function find(slices: Slices, ask: AssignTierAsk | ReleaseTierAsk, facts: Facts): Found | Refusal {
  const { configuration } = slices
  const ours = ask.program === undefined ? undefined : program(configuration, ask.program)
  if (ask.program !== undefined && !ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
  const ladder = ladderNamed(configuration, ask.ladder, ours?.programId)
  const course = ladder && coursesOf(configuration).get(ladder.ladderId)
  if (!course) return refusal('tier_ladder_unknown', `there is no ladder of tiers "${ask.ladder}"`)
  const member = findMember(slices, facts.member)
  return member ? { course, member } : refusal('member_unknown', `there is no member "${ask.member}"`)
}

function concluded(
  slices: Slices,
  { course, member }: Found,
  manual: Manual | null,
  reason: string,
  facts: Facts,
): Decision {
  const opened = openBooks(slices, member, facts)
  settleBooks(opened, facts)
  const { ladderId } = course.ladder
  const changes: Changes = {
    member: member.member,
    at: facts.now,
    books: opened.books,
    events: opened.events,
    names: [],
    assigns: { ladderId, manual, reason },
  }
  const tiers = tierChanges(slices, changes, facts)
  const state = tiers.states.find((one) => one.ladderId === ladderId)
  if (!state) {
    const before = slices.tiers.states.get(tierKey(member.member, ladderId)) // so already
    if (!before) throw new Error('an assignment changed nothing')
    return { status: 200, body: bodyOf(course, before) }
  }
  return { status: 200, body: bodyOf(course, state), changes: { ...changes, tiers } }
}

function bodyOf({ ladder, program: ours }: LadderCourse, state: TierState): string {
  const { tier, since, until, manual } = state
  return JSON.stringify({
    member: encodeId('mem', state.member),
    program: ours.slug,
    ladder: ladder.slug,
    ladderId: encodeId('ldr', ladder.id),
    tier,
    since: since === null ? null : formatInstant(since),
    until: until === null ? null : formatInstant(until),
    assigned: manual && {
      tier: manual.tier,
      until: manual.until === null ? null : formatInstant(manual.until),
      reason: manual.reason,
      by: manual.by === null ? null : encodeId('key', manual.by),
    },
  })
}
