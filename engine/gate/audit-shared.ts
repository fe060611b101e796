import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { kindName } from '../ledger/accounts.ts'
import { findOtherReason, findUneven } from '../ledger/ledger.sql.ts'
import { auditAllAdjustments } from './audit-adjustments.ts'
import { auditAllBudgets } from './audit-budgets.ts'
import { auditAllCodes } from './audit-codes.ts'
import { findStrayIssued } from './audit-issued.ts'
import { auditOutbox, findUnreadBatch } from './audit-outbox.ts'
import { auditAllRedemptions } from './audit-redemptions.ts'
import { auditConfiguredRows, auditOtherRows, auditVoucherRows } from './audit-rows.ts'
import { auditAllUnclaimed, findUnreadUnclaimed } from './audit-unclaimed.ts'
import { auditAllVouchers } from './audit-vouchers.ts'

/** What is looked at as a whole. `counts`: how many there are, as they are told. */
export type Shared = {
  name: string
  audit(
    db: Db,
    configuration: Configuration,
    counts: { unclaimed: number; events: number },
  ): Promise<string | undefined>
  /** which row it is, where some cannot be read */
  find?(db: Db, configuration: Configuration): Promise<string | undefined>
}

/** What is nobody's alone: purchases without a member, what was spent of budgets, vouchers. */
export const SHARED: readonly Shared[] = [
  { name: 'purchases', audit: withoutEntries },
  {
    name: 'unclaimed purchases',
    async audit(db, configuration, counts) {
      const { unclaimed, what } = await auditAllUnclaimed(db, configuration)
      counts.unclaimed = unclaimed
      return what
    },
    find: findUnreadUnclaimed,
  },
  { name: 'budgets', audit: auditAllBudgets },
  { name: 'vouchers', audit: auditAllVouchers, find: auditVoucherRows },
  { name: 'redemptions', audit: async (db, c) => (await findStrayIssued(db)) ?? (await auditAllRedemptions(db, c)) },
  { name: 'rows of members', audit: auditOwners },
  { name: 'rows of vouchers', audit: auditVoucherRows },
  { name: 'codes', audit: auditAllCodes },
  { name: 'adjustments', audit: auditAllAdjustments },
  { name: 'rows of rewards and pools', audit: auditConfiguredRows },
  { name: 'rows of adjustments and of nobody', audit: auditOtherRows },
  { name: 'transfers', audit: auditTransfers },
  {
    name: 'outbox',
    async audit(db, _configuration, counts) {
      const { events, what } = await auditOutbox(db)
      counts.events = events
      return what
    },
    find: findUnreadBatch,
  },
]

async function auditTransfers(db: Db): Promise<string | undefined> {
  const uneven = await findUneven(db)
  const other = uneven ?? (await findOtherReason(db))
  return (
    other &&
    `${kindName(other.kind)} of entry ${encodeEntryId(other.member, other.seq)}: ` +
      (uneven ? 'other points came than went' : 'it is not for the same reason everywhere')
  )
}

/** Tables are looked at by their members: rows of a member who is not there would not be seen. */
export const OWNED = [
  'activities',
  'cards',
  'checkouts',
  'counters',
  'entries',
  'holds',
  'lot_uses',
  'lots',
  'merges',
  'purchases',
  'redemptions',
  'returns',
  'tier_history',
  'tier_progress',
  'tier_states',
]

async function auditOwners(db: Db): Promise<string | undefined> {
  const strays = OWNED.map(
    (table) => `(select '${table}' as table, member_id as member from ${table} t where space_id = $1
      and not exists (select from member_states s where s.member_id = t.member_id and s.space_id = $1) limit 1)`,
  )
  const [stray] = await db.query<{ table: string; member: Uuid }>(`${strays.join(' union all ')} limit 1`, [db.space])
  return stray && `${stray.table} of ${encodeId('mem', stray.member)}: there is no such member`
}

/** Purchases are looked at by their entries: one that gave points but whose entries are gone would not be seen. */
async function withoutEntries(db: Db): Promise<string | undefined> {
  const [lost] = await db.query<{ id: Uuid }>(
    `select purchase_id as id from purchases p
      where space_id = $1 and awards <> '[]' and not exists (select from entries e
        where e.member_id = p.member_id and e.seq = (p.awards::json -> 0 ->> 3)::int and e.source_id = p.purchase_id)
      limit 1`,
    [db.space],
  )
  return lost && `purchase ${encodeId('pur', lost.id)}: its entries are gone`
}
