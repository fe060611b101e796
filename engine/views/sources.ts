import { encodeId, type Prefix, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { SourceType } from '@laurel/contract/sources'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { kindName } from '../ledger/accounts.ts'

const PREFIX_OF: Record<SourceType, Prefix> = {
  purchase: 'pur',
  return: 'ret',
  activity: 'act',
  member: 'act',
  spend: 'spd',
  hold: 'hld',
  refund: 'rfd',
  adjustment: 'adj',
  transfer: 'trf',
  conversion: 'cnv',
  merge: 'mrg',
  opening: 'opn',
  expiry: 'exp',
  cancellation: 'cnl',
  redemption: 'rdm',
}

/** What makes entries of each kind, unless SOURCE_COLUMNS say otherwise. */
const MADE_BY: Record<string, SourceType> = {
  earn: 'purchase',
  reverse: 'return',
  restore: 'return',
  spend: 'spend',
  adjust: 'adjustment',
  expire: 'expiry',
  cancel: 'cancellation',
  refund: 'refund',
  transfer: 'transfer',
  fee: 'transfer',
  convert: 'conversion',
  merge: 'merge',
  open: 'opening',
  move: 'adjustment',
  reinstate: 'adjustment',
}

const DONE = `(select case when a.version = 0 then 'member' else 'activity' end
      from activities a where a.activity_id = e.source_id)`
const REDEEMED = `(select 'redemption' from redemptions d where d.redemption_id = e.source_id
        and d.member_id in (select e.member_id union all select m.other_id from merges m where m.member_id = e.member_id))`

/**
 * Of entries as `e`, what their kind does not say: points are earned by activities and by moments of life as well,
 * spending may capture a hold or redeem a reward, which may convert points too and be undone, and what went on under other dates (kind 7), was given again (15) or came along with a
 * merged member (12) still comes from where it came from first.
 */
export const SOURCE_COLUMNS = `case
    when e.kind = 1 then ${DONE}
    when e.kind in (7, 12, 15) then coalesce(${DONE}, ${REDEEMED})
    when e.kind in (2, 8, 11) then coalesce(
      (select 'hold' from holds h where h.member_id = e.member_id and h.hold_id = e.source_id), ${REDEEMED})
  end as "madeBy",
  case when e.kind in (7, 12, 15) then (select o.kind from entries o
    where o.source_id = e.source_id and o.kind not in (7, 12, 15)
    and o.member_id in (select e.member_id union all select m.other_id from merges m where m.member_id = e.member_id)
    order by o.seq limit 1) end as "originKind"`
export type SourceRow = { kind: number; source: Uuid; madeBy: SourceType | null; originKind: number | null }

/** What made an entry, as clients see it. */
export function sourceOf(row: SourceRow): { type: SourceType; id: string } {
  const type = row.madeBy ?? MADE_BY[kindName(row.originKind ?? row.kind)]
  if (!type) throw new Error(`nothing is known to make entries of kind ${row.kind}`)
  return { type, id: encodeId(PREFIX_OF[type], row.source) }
}

/**
 * What is kept of a source apart from its entries. `name`: what it goes by; `awards`: what rules gave for it, as
 * stored.
 */
export type Said = { externalId: string | null; name: string; occurredAt: Instant; awards: string | null }

/** By id, of one member and those merged into it, what is kept apart from entries: one statement. */
export async function loadSaid(db: Db, member: Uuid, ids: ReadonlySet<Uuid>): Promise<Map<Uuid, Said>> {
  if (ids.size === 0) return new Map()
  const rows = await db.query<Said & { id: Uuid }>(
    `select purchase_id as id, external_id as "externalId", external_id as name, occurred_at as "occurredAt", awards
       from purchases where purchase_id = any ($1::uuid[]) and space_id = $3
     union all
     select return_id, external_id, external_id, occurred_at, null
       from returns where member_id = $2 and return_id = any ($1::uuid[]) and space_id = $3
     union all
     select activity_id, case when version = 0 then null else external_id end, type, occurred_at, awards
       from activities where activity_id = any ($1::uuid[]) and space_id = $3
     union all
     select redemption_id, external_id, said::json ->> 'name', issued_at, null
       from redemptions where redemption_id = any ($1::uuid[])
        and member_id in (select $2::uuid union all select m.other_id from merges m where m.member_id = $2) and space_id = $3
     union all
     select hold_id, external_id, coalesce(external_id, reason), placed_at, null
       from holds where member_id = $2 and hold_id = any ($1::uuid[]) and space_id = $3`,
    [uuids([...ids], (id) => id), member, db.space],
    'sources-said',
  )
  return new Map(rows.map((row) => [row.id, row]))
}
