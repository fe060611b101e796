import { madeCodeKey, redemptionKey, redemptionIdKey, autoKey } from './names.ts'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { kindOf } from '../ledger/accounts.ts'
import type { Entry } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import { deliveryDigest, type Moved, type Redemption, STATUS } from '../redemptions/redemptions.rules.ts'
import { redemptionDigest } from './redemptions.ts'

/** A member's redemptions against what was recorded of them, and the entries that they made and that undid them. Names the first that is wrong. */
export function auditRedemptions(books: BooksOf, redemptions: readonly Redemption[]): string | undefined {
  if (redemptions.length === 0) return undefined
  const bySource = Map.groupBy(books.entries, ({ source }) => source)
  for (const one of redemptions) {
    const wrong = auditSaid(one) ?? auditMoved(one, books, bySource.get(one.id) ?? [])
    if (wrong) return `redemption ${encodeId('rdm', one.id)}: ${wrong}`
  }
  return undefined
}

function auditSaid(one: Redemption): string | undefined {
  if (one.digest !== redemptionDigest(one)) return 'its content is not what was recorded'
  if (one.delivery !== null && one.said.delivery !== deliveryDigest(one.id, one.delivery))
    return 'where it goes is not what was recorded'
  const [first] = one.history
  if (first?.s !== STATUS.issued || first.at !== one.issuedAt || one.history.at(-1)?.s !== one.status)
    return 'its status is not what its history says'
  const isUsed = one.status === STATUS.used
  const atTills = one.said.voucher !== undefined // which have uses of their own
  if (!atTills && isUsed !== (one.used === one.uses)) return 'its status and how often it was used disagree'
  return one.status === STATUS.cancelled && one.used > 0 ? 'it was used, and cancelled' : undefined
}

/** Its entries spend what it says, and give back all of it where it was cancelled, and nothing else. */
function auditMoved(one: Redemption, { entries }: BooksOf, own: readonly Entry[]): string | undefined {
  const isCancelled = one.status === STATUS.cancelled
  const said = (moved: Moved, kind: string) => {
    const entry = entries[moved[2] - 1]
    return (
      entry?.source === one.id &&
      entry.digest === one.digest &&
      entry.reason === one.said.name &&
      entry.walletId === moved[0] &&
      entry.points === moved[1] &&
      kindOf(entry) === kind
    )
  }
  const out = one.received ? 'convertOut' : 'spend'
  if (!one.spent.every((moved) => said(moved, out)) || (one.received && !said(one.received, 'convertIn')))
    return 'no entries move the points that it says'
  const back = own.filter((entry) => kindOf(entry) === 'refund')
  const due = isCancelled ? one.spent.map(([, points, seq]) => `${seq} ${points}`) : []
  if (back.some(({ reason }) => reason !== one.said.name)) return 'what was given back says another reason'
  if (back.map(({ reverses, points }) => `${reverses} ${points}`).join() !== due.join())
    return isCancelled ? 'it was cancelled, and its points were not given back' : 'its points were given back'
  const moves = one.spent.length + (one.received ? 1 : 0)
  const others = own.filter((entry) => ['spend', 'convertOut', 'convertIn'].includes(kindOf(entry) ?? ''))
  return others.length === moves ? undefined : 'it made more entries than it says'
}

/** What leads to redemptions by name; of codes those that were made for tills. */
export function namesOfRedemption(configuration: Configuration, one: Redemption) {
  const leads = { to: one.id, member: one.member, what: `redemption ${encodeId('rdm', one.id)}` }
  const names: Uuid[] = [redemptionIdKey(one.id)]
  if (one.externalId !== null) names.push(redemptionKey(one.externalId))
  if (one.said.voucher !== undefined && one.poolId === null) names.push(madeCodeKey(one.said.voucher))
  const reward = configuration.rewards.find(({ rewardId }) => rewardId === one.rewardId)
  if (one.said.auto !== undefined && reward) names.push(autoKey(encodeId('rwd', reward.id), one.said.auto))
  return names.map((key) => ({ key, ...leads }))
}

/**
 * What members share, against all redemptions: stock was taken as often as it was redeemed and not cancelled, each code of a pool went out with
 * one redemption, and is no two members' at once. The first that is wrong.
 */
export async function auditAllRedemptions(db: Db, configuration: Configuration): Promise<string | undefined> {
  if (configuration.rewards.length === 0) return undefined
  const [stock] = await db.query<{ rewardId: number; period: string; taken: number; due: number }>(
    `with due as (
       select r.reward_id, p.period, count(*)::int as times
         from redemptions r cross join lateral json_array_elements_text(coalesce(r.said::json -> 'stock', '[]')) as p(period)
        where r.space_id = $1 and r.status <> ${STATUS.cancelled} group by 1, 2
     ) select coalesce(s.reward_id, d.reward_id) as "rewardId", coalesce(s.period, d.period) as period,
              coalesce(s.taken, 0) as taken, coalesce(d.times, 0) as due
         from (select * from stock where space_id = $1) s full join due d
           on d.reward_id = s.reward_id and d.period = s.period
        where coalesce(s.taken, 0) <> coalesce(d.times, 0) limit 1`,
    [db.space],
  )
  if (stock) {
    const reward = configuration.rewards.find(({ rewardId }) => rewardId === stock.rewardId)
    return `stock of reward "${reward?.slug}" (${stock.period}): ${stock.taken} were taken, ${stock.due} redeemed`
  }
  const [pool] = await db.query<{ slug: string; next: number; times: number }>(
    `select p.slug, p.next, count(r.redemption_id)::int as times
       from code_pools p left join redemptions r on r.space_id = p.space_id and r.pool_id = p.pool_id
      where p.space_id = $1 group by p.pool_id having p.next <> count(r.redemption_id) limit 1`,
    [db.space],
  )
  if (pool) return `pool "${pool.slug}": ${pool.next} codes were handed out, ${pool.times} redemptions have one`
  const [twice] = await db.query<{ id: Uuid }>(
    `select max(redemption_id::text) as id from redemptions
      where space_id = $1 and code is not null and status <> ${STATUS.cancelled} group by code having count(*) > 1 limit 1`,
    [db.space],
  )
  return twice && `redemption ${encodeId('rdm', twice.id)}: another redemption has its code too`
}
