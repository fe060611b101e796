import type { Uuid } from '../../contract/ids.ts'
import type { Instant } from '../../contract/instants.ts'
import { localDay } from '../../engine/base/calendar.ts'
import type { Configuration } from '../../engine/earning/configuration.ts'
import type { Item } from '../../engine/gate/list.ts'
import { findMember, namedMember, type Slices } from '../../engine/gate/slices.ts'
import { countsOfActivity, countsOfPurchase } from '../../engine/gate/tier-counts.ts'
import { coursesOf, type LadderCourse } from '../../engine/gate/tier-courses.ts'
import { tierKey } from '../../engine/gate/tier-keys.ts'
import { noTiers, type TierSlices } from '../../engine/gate/tier-slices.ts'
import { withChanges } from '../../engine/tiers/levels.rules.ts'
import { availableIn } from '../../engine/gate/tier-steps.ts'
import type { MemberState } from '../../engine/ledger/books.ts'
import { countedNow, standingNow } from '../../engine/tiers/shown.rules.ts'
import type { Bucket, TierState } from '../../engine/tiers/tiers.ts'
import { earliestDay } from '../../engine/tiers/windows.rules.ts'
import type { TierShown } from './driver.ts'
import { living, type Tables } from './memory-tables.ts'

/** As tier-slices.ts reads: of days that no longer matter it reads none, and nothing twice. */
export function loadTiers(t: Tables, slices: Slices, items: readonly Item[]): TierSlices {
  const tiers = noTiers()
  const now = Math.max(...items.map(({ facts }) => facts.now))
  const merging = items.filter(({ ask }) => ask.verb === 'merge' || ask.verb === 'unmerge')
  for (const course of coursesOf(slices.configuration).values()) {
    for (const member of slices.states.keys()) {
      const key = tierKey(member, course.ladder.ladderId)
      tiers.members.add(member)
      tiers.joined.set(member, t.joined.get(member) ?? now)
      const row = t.tiers.states.get(key)
      if (row) tiers.states.set(key, row)
      if (row) tiers.history.set(key, t.tiers.history.get(key) ?? [])
      if (row?.keeping === course.ladder.keeping) {
        tiers.progress.set(key, daysThatMatter(t, row, course, now, merging.length > 0))
        continue
      }
      const all = countOf(t, slices.configuration, course, familyOf(t, member))
      tiers.progress.set(key, all)
      tiers.unsaved.set(key, all)
    }
    for (const { ask, facts } of merging) {
      const own = findMember(slices, facts.member)?.member
      const other = namedMember(slices, facts.other)?.member
      if (own === undefined || other === undefined || own === other) continue
      const [mine, theirs] = [familyOf(t, own), familyOf(t, other)]
      const count = (member: Uuid, of: readonly Uuid[]) =>
        tiers.recounted.set(
          tierKey(member, course.ladder.ladderId),
          countOf(t, slices.configuration, course, [...new Set(of)]),
        )
      if (ask.verb === 'merge') count(own, [...mine, ...theirs])
      else {
        count(other, [other, ...eldersOf(t, other)])
        count(
          own,
          mine.filter((one) => one !== other && !eldersOf(t, other).includes(one)),
        )
      }
    }
  }
  return tiers
}

function daysThatMatter(t: Tables, row: TierState, course: LadderCourse, now: Instant, whole: boolean): Bucket[] {
  const { ladder, timezone } = course
  const from = whole ? undefined : earliestDay(ladder.terms.window, row.standing, localDay(now, timezone))
  const all = t.tiers.progress.get(`${tierKey(row.member, row.ladderId)} ${row.keeping}`) ?? []
  return from === undefined ? all : all.filter(({ day }) => day >= from)
}

/** Who lives on as the member, itself too. */
function familyOf(t: Tables, member: Uuid): Uuid[] {
  return [...t.states.keys()].filter((one) => one === member || living(t, one)?.member === member)
}

/** Who was merged into the member, directly or through others, whoever that one lives on as. */
function eldersOf(t: Tables, member: Uuid): Uuid[] {
  const direct = [...t.states.values()].filter((one) => one.mergedInto === member).map((one) => one.member)
  return direct.flatMap((one) => [one, ...eldersOf(t, one)])
}

function countOf(t: Tables, configuration: Configuration, course: LadderCourse, of: readonly Uuid[]): Bucket[] {
  const own = <T extends { member: Uuid }>(all: Iterable<T>) => [...all].filter(({ member }) => of.includes(member))
  return withChanges(
    [],
    [
      ...own(t.purchases.values()).flatMap((one) => countsOfPurchase(configuration, course, one)),
      ...own(t.activities.values()).flatMap((one) => countsOfActivity(configuration, course, one)),
    ],
  )
}

/** What a reader sees of each ladder. `state`: of a member for whom time has passed. */
export function tiersShown(t: Tables, configuration: Configuration, state: MemberState, now: Instant): TierShown[] {
  const { member } = state
  return [...coursesOf(configuration).values()].map((course) => {
    const row = t.tiers.states.get(tierKey(member, course.ladder.ladderId))
    const progress =
      row?.keeping === course.ladder.keeping
        ? daysThatMatter(t, row, course, now, false)
        : countOf(t, configuration, course, familyOf(t, member))
    const given = { now, progress, balance: availableIn(state, course.walletId) }
    const standing = standingNow(course, { member, joined: t.joined.get(member) ?? now }, row, given)
    return { ladder: course.ladder.slug, tier: standing.tier, counted: countedNow(course, standing, given) }
  })
}
