import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { dateText } from '../base/calendar.ts'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import type { MemberState } from '../ledger/books.ts'
import { hasPassed } from '../ledger/time.rules.ts'
import { historyFault } from '../tiers/history.rules.ts'
import { advance } from '../tiers/tiers.rules.ts'
import { type Bucket, type Course, type Given, MEASURES, type TierState } from '../tiers/tiers.ts'
import { asRead, loadProgress, loadTierHistory, loadTierStatesToCheck, loadUncounted } from '../tiers/tiers.sql.ts'
import { olderKeepings } from '../tiers/versions.rules.ts'
import { termsOf } from './dates.ts'
import { countAll, type CountKey, difference, familiesOf } from './tier-counts.ts'
import { courseBy, coursesOf, type LadderCourse } from './tier-courses.ts'
import { countKey, tierKey } from './tier-keys.ts'
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
  const stored = await loadTierStatesToCheck(db, [...members.keys()])
  const stray = await loadUncounted(db, [...members.keys()])
  if (stray) return wrong(stray.member, stray.ladder, 'counts or changes of who holds nothing there')
  const courses = coursesOf(configuration)
  const rows: TierState[] = []
  for (const { member, ladderId, state } of stored) {
    if (!state) return wrong(member, nameOf(configuration, ladderId), 'its standing cannot be read')
    rows.push(state)
  }
  const histories = Map.groupBy(await loadTierHistory(db, rows), (one) => tierKey(one.member, one.ladderId))
  for (const row of rows) {
    const course = courses.get(row.ladderId)
    const versions = course ? [...course.past(), course] : []
    const what = historyFault(row, histories.get(tierKey(row.member, row.ladderId)) ?? [], versions)
    if (what) return wrong(row.member, nameOf(configuration, row.ladderId), what)
  }
  const live = rows.filter((row) => courses.has(row.ladderId) && members.get(row.member)?.mergedInto === null)
  const progress = await progressOf(db, configuration, live)
  for (const row of live) {
    const course = courses.get(row.ladderId) as LadderCourse
    const keys = waysOf(course, row).map(({ ladder }) => countKey(course, row.member, ladder.keeping))
    const what =
      keys.map((key) => countFault(progress.get(key))).find((one) => one !== undefined) ??
      heldFault(configuration, row, course, members.get(row.member) as MemberState, progress, now)
    if (what) return wrong(row.member, nameOf(configuration, row.ladderId), what)
  }
  return undefined
}

function wrong(member: Uuid, ladder: string, what: string): Wrong {
  return { member: encodeId('mem', member), what: `tiers on ladder "${ladder}": ${what}` }
}

function nameOf(configuration: Configuration, ladderId: number): string {
  return coursesOf(configuration).get(ladderId)?.ladder.slug ?? `number ${ladderId}`
}

/** By countKey. */
type Progress = Map<string, { stored: Bucket[]; counted: Bucket[] }>

/** The ways in which is counted for a standing: its own, and those by which older versions let something stand. */
function waysOf(course: LadderCourse, row: TierState): LadderCourse[] {
  const own = courseBy(course, row.keeping) ?? course
  const older = olderKeepings(course, row).flatMap(({ ladder }) => courseBy(course, ladder.version) ?? [])
  return [own, ...older]
}

async function progressOf(db: Db, configuration: Configuration, rows: readonly TierState[]): Promise<Progress> {
  const found: Progress = new Map()
  if (rows.length === 0) return found
  const courses = coursesOf(configuration)
  const families = await familiesOf(db, [...new Set(rows.map(({ member }) => member))])
  const all = rows.flatMap((row) => {
    const course = courses.get(row.ladderId) as LadderCourse
    return waysOf(course, row).map((way, i) => ({
      member: row.member,
      ladderId: row.ladderId,
      keeping: i === 0 ? row.keeping : way.ladder.keeping,
      key: countKey(course, row.member, way.ladder.keeping),
      way,
    }))
  })
  const keys = all.map(({ member, way }): CountKey => ({ member, course: way, of: families.get(member) ?? [member] }))
  const counted = await countAll(db, configuration, keys)
  for (const [i, { key }] of all.entries()) found.set(key, { stored: [], counted: counted[i] ?? [] })
  const kept = await loadProgress(
    db,
    all.map(({ member, ladderId, keeping }) => ({ member, ladderId, keeping, from: Number.MIN_SAFE_INTEGER })),
  )
  const byRow = new Map(all.map((one) => [`${tierKey(one.member, one.ladderId)} ${one.keeping}`, one.key]))
  for (const { member, ladderId, keeping, measure, day, amount } of kept) {
    const key = byRow.get(`${tierKey(member, ladderId)} ${keeping}`)
    if (key !== undefined) found.get(key)?.stored.push({ measure, day, amount })
  }
  return found
}

function countFault(progress: { stored: Bucket[]; counted: Bucket[] } | undefined): string | undefined {
  const exact = (all: readonly Bucket[] = []) => all.map((one) => ({ ...one, amount: asRead(one.amount) }))
  const [first] = difference(exact(progress?.stored), exact(progress?.counted))
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
  progress: Progress,
  now: Instant,
): string | undefined {
  if (row.dueAt > 0 && (state.dueAt === 0 || state.dueAt > row.dueAt)) return 'it will not be looked at when it is due'
  const { version } = course.ladder
  if (courseBy(course, row.version)?.ladder.keeping !== row.keeping)
    return `it is held against version ${row.version} (counted since ${row.keeping}), which there is not`
  const behind = row.version !== version || course.ages
  if (behind || (course.sinks && hasPassed(state, termsOf(configuration), now))) return undefined
  const at = row.dueAt > 0 ? Math.min(now, row.dueAt - 1) : now
  const countsBy = ({ ladder }: Course) => ({
    progress: progress.get(countKey(course, row.member, ladder.keeping))?.stored ?? [],
    balance: availableIn(state, courseBy(course, ladder.version)?.walletId),
  })
  const given: Given = { now: at, ...countsBy(course), by: countsBy }
  const { changes, state: derived } = advance(course, row, given)
  const [change] = changes
  if (change) return `${change.from ?? 'nothing'} is held, ${change.to ?? 'nothing'} by what counts`
  if (derived.until !== row.until) return 'it ends at another time by what counts'
  return derived.dueAt === row.dueAt ? undefined : 'it is due at another time by what counts'
}
