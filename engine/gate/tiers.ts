import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { LotExpiry } from '@laurel/contract/wallets'
import type { Program } from '../earning/configuration.ts'
import { laddersOf } from '../earning/ladders.ts'
import type { TierBonus } from '../earning/question.ts'
import type { MemberState } from '../ledger/books.ts'
import { lookAt } from '../ledger/ledger.rules.ts'
import { levelOf, withChanges } from '../tiers/levels.rules.ts'
import { advance, type Advanced, daysOf, heldAt } from '../tiers/tiers.rules.ts'
import type { Bucket, Cause, Given, StoredChange, TierChange, TierState } from '../tiers/tiers.ts'
import { instantText, type TierChanges } from '../tiers/tiers.sql.ts'
import { olderKeepings } from '../tiers/versions.rules.ts'
import type { Assigns, Facts } from './asks.ts'
import { type Changes, type Decision, eachMember, tell } from './decisions.ts'
import { MovedError } from './faults.ts'
import type { Slices } from './slices.ts'
import { countsOfActivity, countsOfPurchase, difference } from './tier-counts.ts'
import { benefitsOf, courseAt, courseBy, coursesOf, type LadderCourse } from './tier-courses.ts'
import { joinTiers } from './tier-merges.ts'
import { countKey, tierKey } from './tier-keys.ts'
import { begun, givenOf, type Step } from './tier-steps.ts'

/** What a member holds when a purchase occurs: the slug ('' for none) by that of the ladder, and what it brings. */
export type HeldTiers = { tiers: Record<string, string>; bonuses: TierBonus[]; expiry: LotExpiry | undefined }

// ── before a decision ──

/**
 * What the member held on the program's ladders at that instant, before what is decided now. Undefined where there are
 * no ladders. `state`: none for one who joins with it.
 */
export function tiersAt(
  slices: Slices,
  state: MemberState | undefined,
  ours: Program,
  at: Instant,
  { now }: Facts,
): HeldTiers | undefined {
  if (laddersOf(slices.configuration, ours.programId).length === 0) return undefined
  const courses = [...coursesOf(slices.configuration).values()].filter(({ program }) => program === ours)
  return whatTiersBring(
    ours,
    courses.map((course) => {
      const then = courseAt(course, at)
      return { course: then, tier: state ? tierAt(slices, state, course, at, now) : newcomersTier(then) }
    }),
  )
}

/** What these tiers bring for a purchase, a ladder each as it was when that occurred; null: none is held. */
export function whatTiersBring(
  ours: Program,
  all: readonly { course: LadderCourse; tier: string | null }[],
): HeldTiers {
  const held: HeldTiers = { tiers: {}, bonuses: [], expiry: undefined }
  for (const { course, tier } of all) {
    held.tiers[course.ladder.slug] = tier ?? ''
    const { multiplier, wallets, expiry } = benefitsOf(course, tier)
    const name = course.ladder.terms.tiers.find(({ slug }) => slug === tier)?.name ?? ''
    const walletIds = wallets && ours.wallets.filter(({ slug }) => wallets.includes(slug)).map((w) => w.walletId)
    if (multiplier !== undefined && Number(multiplier) > 1)
      held.bonuses.push({ tier: name, factor: multiplier, ...(walletIds ? { walletIds } : {}) })
    held.expiry ??= expiry
  }
  return held
}

/** What somebody holds who joins just now. */
export function newcomersTier({ ladder }: LadderCourse): string | null {
  return heldAt(ladder.terms, [], 0)
}

function tierAt(slices: Slices, state: MemberState, course: LadderCourse, at: Instant, now: Instant): string | null {
  const key = tierKey(state.member, course.ladder.ladderId)
  const stored = slices.tiers.states.get(key)
  const given = givenOf(slices, state, course, now)
  if (!given) return newcomersTier(courseAt(course, at))
  const start = stored ? { state: stored, changes: [] } : begun(slices, course, state, given, at)
  const { changes } = advance(course, start.state, given)
  const before: Pick<TierChange, 'to' | 'at'>[] =
    stored && stored.since !== null && stored.since <= at
      ? [{ to: stored.tier, at: stored.since }]
      : historyOf(slices, key, stored)
  return heldAt(courseAt(course, at).ladder.terms, [...before, ...start.changes, ...changes], at)
}

/** Of a row whose history was not read, what is known of it. */
function historyOf(slices: Slices, key: string, stored: TierState | undefined): Pick<TierChange, 'to' | 'at'>[] {
  const [first, ...rest] = slices.tiers.history.get(key) ?? []
  if (!first) return stored?.since == null ? [] : [{ to: stored.tier, at: stored.since }]
  return [...(first.seq > 1 ? [{ to: first.from, at: Number.MIN_SAFE_INTEGER }] : []), first, ...rest]
}

// ── after a decision ──

/**
 * What a decision changes of tiers, put into its changes: what it counts, what time did to the standings of whom it
 * concerns, and what is told. Every decision goes through here, whatever its verb.
 */
export function settleTiers(slices: Slices, decision: Decision, facts: Facts): Decision {
  if (!decision.changes || slices.configuration.ladders.length === 0) return decision
  for (const one of eachMember(decision.changes)) {
    if (one.tiers) continue
    const tiers = tierChanges(slices, one, facts, decision.changes)
    if (tiers.states.length + tiers.buckets.length > 0) one.tiers = tiers
  }
  return decision
}

/**
 * As settleTiers, of one member. Its events are numbered, and its state is to be looked at when the next tier is due.
 */
export function tierChanges(slices: Slices, one: Changes, facts: Facts, whole: Changes = one): TierChanges {
  const found: TierChanges = { states: [], buckets: [], history: [] }
  const touched = programsOf(slices, one)
  for (const course of coursesOf(slices.configuration).values()) {
    const joined = whole.merges && joinTiers(slices, whole.merges, one, course, facts)
    const outcome = joined === undefined ? stepOf(slices, one, course, touched, facts) : joined
    if (!outcome) continue
    const { state, buckets, changes, told } = outcome
    if (state.dueAt > 0 && one.books.state.mergedInto === null) lookAt(one.books.state, state.dueAt)
    found.history.push(...stored(one, state, changes, byHand(slices, one, state, facts), facts.now))
    if (outcome.changed) found.states.push(state)
    for (const bucket of buckets) found.buckets.push({ ...bucket, member: one.member, ladderId: state.ladderId })
    for (const change of changes) one.events.push(tellChange(one, course, change))
    for (const notice of told) one.events.push(tellNotice(one, course, state, notice))
  }
  return found
}

function stepOf(
  slices: Slices,
  one: Changes,
  course: LadderCourse,
  touched: ReadonlySet<number>,
  facts: Facts,
): Step | undefined {
  if (one.books.state.mergedInto !== null) return undefined // who lives on as another is left alone
  const { ladderId, programId } = course.ladder
  const key = tierKey(one.member, ladderId)
  const row = slices.tiers.states.get(key)
  const assigns = one.assigns?.ladderId === ladderId ? one.assigns : undefined
  if (!row && !touched.has(programId) && !assigns) return undefined
  const before = givenOf(slices, one.books.state, course, facts.now)
  if (!before) {
    if (one.purchase || one.returned || one.activity || assigns) throw new MovedError('nothing was counted of a member')
    return undefined
  }
  const at = one.purchase?.occurredAt ?? one.activity?.occurredAt ?? facts.now
  const begins = row ? { state: row, changes: [] } : begun(slices, course, one.books.state, before, at)
  const counts = (one.purchase ?? one.activity ?? one.returned) !== undefined
  // time comes first: what ended before goes by what counted before, and not by what is decided now
  const passed = assigns || (row && counts) ? advance(course, begins.state, before) : undefined
  const { state: standing } = passed ?? begins
  const state = assigns ? { ...standing, manual: assigns.manual } : standing
  const counted = countedFor(slices, one, [course, ...olderWays(course, standing)])
  const cause = causeOf(assigns, [...counted.values()].flat(), at, facts)
  const advanced = advance(course, state, withCounts(before, course, counted), cause)
  const changes = [...begins.changes, ...(passed?.changes ?? []), ...advanced.changes]
  const told = [...(passed?.told ?? []), ...advanced.told]
  const buckets = [course, ...olderWays(course, advanced.state)].flatMap(({ ladder: { keeping } }) => {
    const unsaved = slices.tiers.unsaved.get(countKey(course, one.member, keeping)) ?? []
    return withChanges(unsaved, counted.get(keeping) ?? []).map((bucket) => ({ ...bucket, keeping }))
  })
  const changed = !row || JSON.stringify(row) !== JSON.stringify(advanced.state) // most purchases only count
  return { ...advanced, changes, told, buckets, changed }
}

/** The older ways of counting by which something of a standing is held: they are counted on. */
function olderWays(course: LadderCourse, state: TierState): LadderCourse[] {
  return olderKeepings(course, state).flatMap(({ ladder }) => courseBy(course, ladder.version) ?? [])
}

/** By `keeping`. */
type CountedBy = Map<number, Bucket[]>

function countedFor(slices: Slices, one: Changes, ways: readonly LadderCourse[]): CountedBy {
  return new Map(ways.map((way) => [way.ladder.keeping, countedBy(slices, one, way)]))
}

function withCounts(before: Given, { ladder }: LadderCourse, counted: CountedBy): Given {
  return {
    ...before,
    progress: withChanges(before.progress, counted.get(ladder.keeping) ?? []),
    by: (older) => {
      const { balance, progress } = before.by?.(older) ?? { balance: 0, progress: [] }
      return { balance, progress: withChanges(progress, counted.get(older.ladder.keeping) ?? []) }
    },
  }
}

function causeOf(assigns: Assigns | undefined, counted: readonly Bucket[], at: Instant, { now }: Facts): Cause {
  if (assigns) return { at: now, why: assigns.manual ? 'assigned' : 'assignment_ended' }
  const back = counted.some(({ amount }) => amount < 0)
  return { at, why: 'reached', days: daysOf(counted), back }
}

/** What the decision adds to progress, or takes off it again. */
function countedBy(slices: Slices, one: Changes, course: LadderCourse): Bucket[] {
  const { configuration } = slices
  const buckets: Bucket[] = []
  if (one.purchase) buckets.push(...countsOfPurchase(configuration, course, one.purchase))
  if (one.activity) buckets.push(...countsOfActivity(configuration, course, one.activity))
  for (const after of one.returned ?? []) {
    const before = slices.purchases.get(after.id)
    if (!before) throw new Error(`purchase ${after.id} came back but was not loaded`)
    buckets.push(
      ...difference(countsOfPurchase(configuration, course, before), countsOfPurchase(configuration, course, after)),
    )
  }
  return buckets.length === 0 ? buckets : withChanges([], buckets)
}

/** The programs in which something happens to the member. */
function programsOf(slices: Slices, one: Changes): Set<number> {
  const programs = new Set<number>()
  for (const { programId } of [one.purchase, one.activity, ...(one.returned ?? [])].filter((x) => x !== undefined))
    programs.add(programId)
  for (const { walletId } of one.books.entries) {
    const wallet = slices.configuration.byWalletId.get(walletId)
    if (wallet) programs.add(wallet.program.programId)
  }
  return programs
}

/** Who did it by hand, and why: what is assigned or taken away now, or was assigned to another who is this one now. */
function byHand(slices: Slices, one: Changes, { ladderId, manual }: TierState, facts: Facts): Hand | undefined {
  const before = slices.tiers.states.get(tierKey(one.member, ladderId))?.manual ?? null
  if (one.assigns?.ladderId === ladderId) {
    const same = JSON.stringify(before) === JSON.stringify(one.assigns.manual)
    return same ? undefined : { reason: one.assigns.reason, by: facts.actor ?? null }
  }
  const taken = manual !== null && JSON.stringify(before) !== JSON.stringify(manual)
  return taken ? { reason: manual.reason, by: manual.by } : undefined
}

type Hand = Pick<StoredChange, 'reason' | 'by'>

/** Changes as they are kept. What is done by hand is among them, also where another tier is not held by it. */
function stored(one: Changes, state: TierState, changes: readonly TierChange[], hand: Hand | undefined, now: Instant) {
  const { member, ladderId, tier, until, manual } = state
  const why = one.assigns ? (manual ? 'assigned' : 'assignment_ended') : 'merged'
  const all = [...changes]
  if (hand && changes.at(-1)?.why !== why) {
    all.push({ from: tier, to: tier, at: Math.max(now, changes.at(-1)?.at ?? state.since ?? now), until, why })
    state.historySeq += 1
  }
  const first = state.historySeq - all.length + 1
  return all.map((change, i): StoredChange => {
    const { reason, by } = i === all.length - 1 && hand ? hand : { reason: null, by: null }
    return { ...change, member, ladderId, seq: first + i, bookedAt: now, reason, by }
  })
}

// ── events ──

function head({ ladder, program }: LadderCourse) {
  return { ladder: encodeId('ldr', ladder.id), program: program.slug, slug: ladder.slug }
}

function tellChange(one: Changes, course: LadderCourse, { from, to, at, until, why }: TierChange) {
  const { terms } = course.ladder
  const way =
    from === null
      ? 'joined'
      : to === null
        ? 'left'
        : levelOf(terms, to) > levelOf(terms, from)
          ? 'upgraded'
          : 'downgraded'
  const data = { ...head(course), from, to, at: formatInstant(at), until: instantText(until), why }
  return tell(one.books.state, `member.tier_${way}`, data)
}

function tellNotice(one: Changes, course: LadderCourse, { tier }: TierState, notice: Advanced['told'][number]) {
  const data = { ...head(course), tier, until: instantText(notice.until) }
  if (notice.kind === 'prolonged') return tell(one.books.state, 'member.tier_prolonged', data)
  return tell(one.books.state, 'member.tier_will_downgrade', { ...data, to: notice.to })
}

/** Whether a member was last held against an older version of a ladder. */
export function isBehind(slices: Slices, member: Uuid): boolean {
  const courses = coursesOf(slices.configuration)
  return [...slices.tiers.states.values()].some(
    (row) => row.member === member && row.version < (courses.get(row.ladderId)?.ladder.version ?? 0),
  )
}
