import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Activity } from '../activities/activities.rules.ts'
import { loadActivitiesOf } from '../activities/activities.sql.ts'
import { localDay } from '../base/calendar.ts'
import type { Db } from '../base/db.ts'
import { type Configuration, versionById } from '../earning/configuration.ts'
import { loadElders } from '../members/merges.sql.ts'
import { type Purchase, remainingItems, returnedUnits, totalOf } from '../purchases/purchases.rules.ts'
import { loadForAudit } from '../purchases/purchases.sql.ts'
import { withChanges } from '../tiers/levels.rules.ts'
import { type Bucket, type Measure, MEASURES } from '../tiers/tiers.ts'
import type { LadderCourse } from './tier-courses.ts'

/**
 * What purchases and activities count for on a ladder: as they are, net; the same whether one is added or all are
 * counted.
 */

export function countsOfPurchase(configuration: Configuration, course: LadderCourse, purchase: Purchase): Bucket[] {
  if (purchase.programId !== course.ladder.programId) return []
  const left = remainingItems(purchase.items, returnedUnits(purchase))
  return counts(course, purchase.occurredAt, {
    [MEASURES.earned]: earnedBy(configuration, course, purchase.awards) - takenBack(course, purchase),
    [MEASURES.spend]: totalOf(left) ?? Number.MAX_SAFE_INTEGER,
    [MEASURES.purchases]: left.length > 0 ? 1 : 0,
  })
}

export function countsOfActivity(configuration: Configuration, course: LadderCourse, activity: Activity): Bucket[] {
  if (activity.programId !== course.ladder.programId) return []
  const counted = activity.version > 0 && (course.activity ?? activity.type) === activity.type
  return counts(course, activity.occurredAt, {
    [MEASURES.earned]: earnedBy(configuration, course, activity.awards),
    [MEASURES.activities]: counted ? 1 : 0,
  })
}

function counts({ measures, timezone }: LadderCourse, at: Instant, of: Partial<Record<Measure, number>>): Bucket[] {
  const day = localDay(at, timezone)
  return [...measures].flatMap((measure) => {
    const amount = of[measure] ?? 0
    return amount === 0 ? [] : [{ measure, day, amount }]
  })
}

function earnedBy(
  configuration: Configuration,
  { walletId }: LadderCourse,
  awards: readonly (readonly [ruleVersionId: number, points: number, ...rest: unknown[]])[],
): number {
  let points = 0
  for (const [ruleVersionId, given] of awards) {
    if (versionById(configuration, ruleVersionId)?.walletId === walletId) points += given
  }
  return points
}

/** Whether the points were found or not: what came back was not earned. */
function takenBack({ walletId }: LadderCourse, { returned }: Purchase): number {
  const wallet = returned?.wallets.find((one) => one.walletId === walletId)
  if (!wallet) return 0
  const { lots, writtenOff, owed = 0, gone = 0 } = wallet
  return lots.reduce((sum, lot) => sum + lot.taken, writtenOff + owed + gone)
}

/** What changed: buckets after, less buckets before. */
export function difference(before: readonly Bucket[], after: readonly Bucket[]): Bucket[] {
  const minus = before.map((bucket) => ({ ...bucket, amount: -bucket.amount }))
  return withChanges(withChanges([], after), minus).filter(({ amount }) => amount !== 0)
}

/** Whose purchases and activities count for a member: its own, and those of whoever lives on as it, but for `not`. */
export type CountKey = { member: Uuid; course: LadderCourse; of: readonly Uuid[] }

/**
 * All that counts, from what is stored: for members of whom nothing was counted yet, and for the audit. In the order of
 * the keys.
 */
export async function countAll(db: Db, configuration: Configuration, keys: readonly CountKey[]): Promise<Bucket[][]> {
  if (keys.length === 0) return []
  const members = [...new Set(keys.flatMap(({ of }) => of))]
  const [{ purchases }, activities] = await Promise.all([loadForAudit(db, members), loadActivitiesOf(db, members)])
  const bought = Map.groupBy(purchases, ({ member }) => member)
  const done = Map.groupBy(activities, ({ member }) => member)
  return keys.map(({ course, of }) => {
    const all = of.flatMap((member) => [
      ...(bought.get(member) ?? []).flatMap((one) => countsOfPurchase(configuration, course, one)),
      ...(done.get(member) ?? []).flatMap((one) => countsOfActivity(configuration, course, one)),
    ])
    return withChanges([], all)
  })
}

/** The members themselves and all who live on as them. */
export async function familiesOf(db: Db, members: readonly Uuid[]): Promise<Map<Uuid, Uuid[]>> {
  const families = new Map(members.map((member) => [member, [member]]))
  for (const { member, elder } of await loadElders(db, members)) families.get(member)?.push(elder)
  return families
}
