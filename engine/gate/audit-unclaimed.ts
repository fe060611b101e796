import { encodeId, type Uuid } from '@laurel/contract/ids'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { NOBODY } from '../base/names.ts'
import { type Configuration, programById } from '../earning/configuration.ts'
import { contentText, type Item, totalOf } from '../purchases/purchases.rules.ts'
import type { Unclaimed } from '../unclaimed/unclaimed.rules.ts'
import { nextUnclaimed, pageUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import { returnDigest } from './digests.ts'
import { faultOf } from './faults.ts'
import { purchaseKey, returnKey } from './names.ts'
import { unclaimedContentOf } from './said.ts'

const AT_ONCE = 500

/**
 * All purchases of a space without a member: their content and that of their returns, what is left of them, and that their names lead
 * to them and to nobody. Says how many there are, and the first thing that is wrong.
 */
export async function auditAllUnclaimed(
  db: Db,
  configuration: Configuration,
): Promise<{ unclaimed: number; what?: string }> {
  let unclaimed = 0
  for (let after: Uuid = NOBODY; ; ) {
    const rows = await pageUnclaimed(db, after, AT_ONCE)
    unclaimed += rows.length
    for (const row of rows) {
      const what = auditUnclaimed(configuration, row)
      if (what) return { unclaimed, what: `purchase ${encodeId('pur', row.id)}: ${what}` }
    }
    const lost = await unnamed(db, rows)
    if (lost) return { unclaimed, what: lost }
    if (rows.length < AT_ONCE) break
    after = rows.at(-1)?.key ?? after
  }
  const stray = await stranded(db)
  return stray ? { unclaimed, what: stray } : { unclaimed }
}

/** The first that cannot be read. */
export async function findUnreadUnclaimed(db: Db, configuration: Configuration): Promise<string | undefined> {
  for (let after: Uuid = NOBODY; ; ) {
    const next = await nextUnclaimed(db, after)
    if (!next) return undefined
    try {
      for (const row of await pageUnclaimed(db, after, 1)) auditUnclaimed(configuration, row)
    } catch (thrown) {
      return `purchase ${encodeId('pur', next.id)}: cannot be read: ${faultOf(thrown).message}`
    }
    after = next.key
  }
}

/** What is wrong with one, or nothing. */
export function auditUnclaimed(configuration: Configuration, row: Unclaimed): string | undefined {
  const program = programById(configuration, row.programId)
  if (!program) return 'its program is not stored'
  const { programId, occurredAt, itemsText, channel, store, metadata } = row
  const content = contentText(programId, occurredAt, program.currency, itemsText, channel, store, metadata)
  if (row.digest !== unclaimedContentOf({ content }) || row.key !== purchaseKey(row.externalId))
    return 'its content is not what was recorded'
  const items = JSON.parse(itemsText) as Item[]
  if (totalOf(items) !== row.total) return `its lines do not add up to ${row.total}`
  const returns = row.returned?.returns ?? []
  if (row.version !== 1 + returns.length) return 'it was changed more or less often than something came back'
  const units = items.map(() => 0)
  for (const one of returns) {
    if (one.digest !== returnDigest(NOBODY, programId, one.occurredAt, one.asked))
      return `return ${encodeId('ret', one.id)}: its content is not what was recorded`
    for (const { index, quantity } of one.lines) units[index] = (units[index] ?? 0) + quantity
  }
  if ((row.returned?.units ?? items.map(() => 0)).join() !== units.join())
    return 'its returned units are not what its returns say'
  return items.some((item, i) => (units[i] ?? 0) > item.quantity) ? 'more was returned than was bought' : undefined
}

/** One whose external id does not lead to it could be recorded twice. */
async function unnamed(db: Db, rows: readonly Unclaimed[]): Promise<string | undefined> {
  const named = rows.flatMap((row) => [
    { key: row.key, to: row.id, what: `purchase ${encodeId('pur', row.id)}` },
    ...(row.returned?.returns ?? []).map(({ externalId, id }) => ({
      key: returnKey(externalId),
      to: id,
      what: `return ${encodeId('ret', id)}`,
    })),
  ])
  if (named.length === 0) return undefined
  const found = await db.query<{ key: Uuid; to: Uuid }>(
    `select key, object_id as to from lookups
      where space_id = $1 and key = any ($2::uuid[]) and member_id = $3`,
    [db.space, uuids(named, (n) => n.key), NOBODY],
  )
  const leads = new Map(found.map(({ key, to }) => [key, to]))
  const lost = named.find(({ key, to }) => leads.get(key) !== to)
  return lost && `${lost.what}: its external id does not lead to it`
}

/**
 * A name of nobody that leads to nothing keeps its purchase from ever being recorded. But for what is meant so: a name that names
 * nothing is that of a checkout that was voided before it came; and vouchers may be redeemed without a member.
 */
async function stranded(db: Db): Promise<string | undefined> {
  const [row] = await db.query<{ id: Uuid }>(
    `with returns as (
       select (r ->> 'id')::uuid as id from unclaimed_purchases u, json_array_elements(u.returned::json -> 'returns') as r
        where u.space_id = $1 and u.returned is not null
     )
     select n.object_id as id from lookups n where n.space_id = $1 and n.member_id = $2 and n.object_id is not null
        and not exists (select from voucher_redemptions v where v.space_id = $1 and v.key = n.key)
        and not exists (select from unclaimed_purchases u where u.space_id = $1 and u.key = n.key)
        and not exists (select from returns r where r.id = n.object_id)
      limit 1`,
    [db.space, NOBODY],
  )
  return row && `name of ${row.id}: what it leads to is not stored`
}
