import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { dateText } from '../base/calendar.ts'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { MemberState } from '../ledger/books.ts'
import { hasPassed } from '../ledger/time.rules.ts'
import { advance } from '../tiers/tiers.rules.ts'
import { type Bucket, MEASURES, type StoredChange, type TierState } from '../tiers/tiers.ts'
import { asRead, loadProgress, loadTierHistory, loadTierStates, loadUncounted } from '../tiers/tiers.sql.ts'
import { termsOf } from './dates.ts'
import { countAll, type CountKey, difference, familiesOf } from './tier-counts.ts'
import { coursesOf, type LadderCourse } from './tier-courses.ts'
import { tierKey } from './tier-slices.ts'
import { availableIn } from './tier-steps.ts'

type Wrong = { member?: string; what: string }

/**
 * What some members hold on ladders: days of progress against the purchases and activities that they count, histories
 * against themselves and what is held, and what is held against what counts. Of archived ladders, histories alone.
 */
export async function auditTiers(
  db: Db,
  configuration: Configuration,
  states: readonly MemberState[],
  now: Instant,
): Promise<Wrong | undefined> {
  const members = new Map(states.map((state) => [state.member, state]))
  const rows = await loadTierStates(db, [...members.keys()])
  const stray = await loadUncounted(db, [...members.keys()])
  if (stray) return wrong(stray.member, stray.ladder, 'counts or changes of who holds nothing there')
  const histories = Map.groupBy(await loadTierHistory(db, rows), (one) => tierKey(one.member, one.ladderId))
  for (const row of rows) {
    const what = historyFault(row, histories.get(tierKey(row.member, row.ladderId)) ?? [])
    if (what) return wrong(row.member, nameOf(configuration, row), what)
  }
  const courses = coursesOf(configuration)
  const live = rows.filter((row) => {
    const ladder = courses.get(row.ladderId)?.ladder
    const isKept = ladder?.keeping === row.keeping || (ladder && row.version >= ladder.version)
    return isKept && members.get(row.member)?.mergedInto === null
  })
  const progress = await progressOf(db, configuration, live, courses)
  for (const row of live) {
    const course = courses.get(row.ladderId) as LadderCourse
    const { stored, counted } = progress.get(tierKey(row.member, row.ladderId)) ?? { stored: [], counted: [] }
    const what =
      countFault(stored, counted) ??
      heldFault(configuration, row, course, members.get(row.member) as MemberState, stored, now)
    if (what) return wrong(row.member, nameOf(configuration, row), what)
  }
  return undefined
}

function wrong(member: Uuid, ladder: string, what: string): Wrong {
  return { member: encodeId('mem', member), what: `tiers on ladder "${ladder}": ${what}` }
}

function nameOf(configuration: Configuration, { ladderId }: TierState): string {
  return coursesOf(configuration).get(ladderId)?.ladder.slug ?? `number ${ladderId}`
}

/** Changes follow one another, and the last of them is what is held. */
function historyFault(row: TierState, history: readonly StoredChange[]): string | undefined {
  if (history.length !== row.historySeq) return `${row.historySeq} changes are noted, ${history.length} are there`
  let held: string | null = null
  let since: Instant | null = null
  for (const [i, change] of history.entries()) {
    const follows = change.seq === i + 1 && change.from === held && (since === null || change.at >= since)
    if (!follows) return `change ${change.seq} does not follow from the one before it`
    if (change.at > change.bookedAt + AHEAD) return `change ${change.seq} was written before it took effect`
    held = change.to
    since = change.at
  }
  if (row.tier !== held) return `${row.tier ?? 'nothing'} is held, ${held ?? 'nothing'} by the changes`
  return row.since === since ? undefined : 'it is held since another time than it changed'
}

/** Purchases may be dated a little ahead. */
const AHEAD = 6 * 60 * 1_000_000

type Progress = Map<string, { stored: Bucket[]; counted: Bucket[] }>

async function progressOf(
  db: Db,
  configuration: Configuration,
  rows: readonly TierState[],
  courses: ReadonlyMap<number, LadderCourse>,
): Promise<Progress> {
  const found: Progress = new Map()
  if (rows.length === 0) return found
  const families = await familiesOf(db, [...new Set(rows.map(({ member }) => member))])
  const keys = rows.map(
    ({ member, ladderId }): CountKey => ({
      member,
      course: courses.get(ladderId) as LadderCourse,
      of: families.get(member) ?? [member],
    }),
  )
  const counted = await countAll(db, configuration, keys)
  for (const [i, row] of rows.entries())
    found.set(tierKey(row.member, row.ladderId), { stored: [], counted: counted[i] ?? [] })
  const all = rows.map(({ member, ladderId, keeping }) => ({
    member,
    ladderId,
    keeping,
    from: Number.MIN_SAFE_INTEGER,
  }))
  for (const { member, ladderId, measure, day, amount } of await loadProgress(db, all))
    found.get(tierKey(member, ladderId))?.stored.push({ measure, day, amount })
  return found
}

function countFault(stored: readonly Bucket[], counted: readonly Bucket[]): string | undefined {
  const exact = (all: readonly Bucket[]) => all.map((one) => ({ ...one, amount: asRead(one.amount) }))
  const [first] = difference(exact(stored), exact(counted))
  if (!first) return undefined
  const { measure, day, amount } = first
  const name = Object.entries(MEASURES).find(([, code]) => code === measure)?.[0]
  return `progress of ${dateText(day)} lacks ${amount} (${name})`
}

/** Before it is due, nothing of it changes: so what is written is what counts. */
function heldFault(
  configuration: Configuration,
  row: TierState,
  course: LadderCourse,
  state: MemberState,
  progress: readonly Bucket[],
  now: Instant,
): string | undefined {
  if (row.dueAt > 0 && (state.dueAt === 0 || state.dueAt > row.dueAt)) return 'it will not be looked at when it is due'
  const { version, keeping } = course.ladder
  if (row.version > version || (row.version === version && row.keeping !== keeping))
    return `it is held against version ${row.version} (counted since ${row.keeping}), which there is not`
  const behind = row.version !== version || course.ages
  if (behind || (course.sinks && hasPassed(state, termsOf(configuration), now))) return undefined
  const at = row.dueAt > 0 ? Math.min(now, row.dueAt - 1) : now
  const given = { now: at, progress, balance: availableIn(state, course.walletId) }
  const { changes, state: derived } = advance(course, row, given)
  const [change] = changes
  if (change) return `${change.from ?? 'nothing'} is held, ${change.to ?? 'nothing'} by what counts`
  if (derived.until !== row.until) return 'it ends at another time by what counts'
  return derived.dueAt === row.dueAt ? undefined : 'it is due at another time by what counts'
}
