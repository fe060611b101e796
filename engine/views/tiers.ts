import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { MemberTier } from '@laurel/contract/member-tiers'
import { Refused } from '@laurel/contract/refusals'
import type { TierChangeAnswer } from '@laurel/contract/tiers'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { type Configuration, type Configurations, program } from '../earning/configuration.ts'
import { existingMember } from '../members/members.ts'
import { ladderRow } from '../tiers/ladder-answers.ts'
import { shownChange, shownTier } from '../tiers/shown.rules.ts'
import { loadHistoryPage } from '../tiers/tier-pages.sql.ts'
import { currentConfiguration } from './current.ts'
import { coursesFor, lookAt } from './tier-standings.ts'

/** What a member holds on every ladder, of one program or of all, as of now. Refusals: member_unknown, program_unknown. */
export async function listMemberTiers(
  db: Db,
  known: Configurations,
  member: string,
  filter: { program?: string | undefined },
  now: Instant,
): Promise<{ data: MemberTier[] }> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const courses = coursesFor(configuration, programIdOf(configuration, filter.program))
  const looked = await lookAt(db, configuration, [id], courses, now)
  return { data: looked.map(({ course, state, given }) => shownTier(course, course.program.slug, state, given)) }
}

/** A member's changes of tier on a ladder, archived ones too, newest first. Refusals: member_unknown, tier_ladder_unknown, invalid_cursor. */
export async function listTierHistory(
  db: Db,
  named: { member: string; ladder: string; program?: string | undefined },
  page: PageAsk,
): Promise<Page<TierChangeAnswer>> {
  const id = await existingMember(db, named.member)
  const { ladderId } = await ladderRow(db, named.ladder, named.program)
  const before = page.after === undefined ? SEQ_MAX : seqOf(page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a history of tiers')
  const rows = await loadHistoryPage(db, { member: id, ladderId }, before, page.limit + 1)
  const { data, next } = pageOf(
    rows,
    page.limit,
    (row) => ({ seq: row.seq, change: shownChange(row) }),
    ({ seq }) => String(seq),
  )
  return { data: data.map(({ change }) => change), next }
}

/** Where a history begins: no number of a change is as high. */
const SEQ_MAX = 2_147_483_647

function seqOf(cursor: string): number | undefined {
  return /^[1-9][0-9]{0,9}$/.test(cursor) && Number(cursor) <= SEQ_MAX ? Number(cursor) : undefined
}

/** By program: the slug of the tier that a member holds on each ladder now, '' where it is none. */
export async function heldTiers(
  db: Db,
  configuration: Configuration,
  member: Uuid,
  now: Instant,
): Promise<Map<number, Record<string, string>>> {
  const held = new Map<number, Record<string, string>>()
  for (const { course, state } of await lookAt(db, configuration, [member], coursesFor(configuration), now)) {
    const { programId, slug } = course.ladder
    const tiers = held.get(programId) ?? {}
    tiers[slug] = state.tier ?? ''
    held.set(programId, tiers)
  }
  return held
}

function programIdOf(configuration: Configuration, ref: string | undefined): number | undefined {
  if (ref === undefined) return undefined
  const ours = program(configuration, ref)
  if (!ours) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return ours.programId
}
