import type { Uuid } from '@laurel/contract/ids'
import { type Digested, microseconds } from '../base/row-digests.ts'
import type { Lock, Part, Voucher, VoucherRedemption } from './vouchers.rules.ts'

/** What rows of vouchers say, in the order of their digests. */
export const VOUCHER: Digested<Voucher> = {
  table: 'vouchers',
  columns: [
    ['code_key', (r) => r.key],
    ['voucher_id', (r) => r.id],
    ['version', (r) => r.version],
    ['program_id', (r) => r.programId],
    ['code', (r) => r.code],
    ['terms', (r) => JSON.stringify(r.terms)],
    ['status', (r) => r.status],
    ['reason', (r) => r.reason],
    ['bound_to', (r) => r.member],
    ['source_id', (r) => r.source],
    [microseconds('created_at'), (r) => r.createdAt],
    [microseconds('starts_at'), (r) => r.startsAt],
    [microseconds('ends_at'), (r) => r.endsAt],
    ['uses_total', (r) => r.usesTotal],
    ['used', (r) => r.used],
    ['initial_balance', (r) => r.initialBalance],
    ['balance', (r) => r.balance],
  ],
}

export const LOCK: Digested<Lock> = {
  table: 'voucher_locks',
  columns: [
    ['code_key', (r) => r.key],
    ['session_key', (r) => r.sessionKey],
    ['session', (r) => r.session],
    ['member_id', (r) => r.member],
    [microseconds('until'), (r) => r.until],
    ['amount', (r) => r.amount],
  ],
}

/** With the two columns that are JSON, as they are stored. */
export type RedemptionRow = { redemption: VoucherRedemption; said: string; rolledBack: string | null }
export const REDEMPTION: Digested<RedemptionRow> = {
  table: 'voucher_redemptions',
  columns: [
    ['key', (r) => r.redemption.key],
    ['redemption_id', (r) => r.redemption.id],
    ['version', (r) => r.redemption.version],
    ['program_id', (r) => r.redemption.programId],
    ['member_id', (r) => r.redemption.member],
    ['external_id', (r) => r.redemption.externalId],
    ['session', (r) => r.redemption.session],
    [microseconds('redeemed_at'), (r) => r.redemption.redeemedAt],
    ['digest', (r) => r.redemption.digest],
    ['total', (r) => r.redemption.total],
    ['discount', (r) => r.redemption.discount],
    ['gift', (r) => r.redemption.gift],
    ['said', (r) => r.said],
    ['rolled_back', (r) => r.rolledBack],
  ],
}

/** One voucher's part in a redemption, at its place among others. */
export type Use = { redemption: { key: Uuid; id: Uuid; member: Uuid | null }; part: Part; place: number }
export const USE: Digested<Use> = {
  table: 'voucher_uses',
  columns: [
    ['redemption_key', (r) => r.redemption.key],
    ['redemption_id', (r) => r.redemption.id],
    ['code_key', (r) => r.part.key],
    ['place', (r) => r.place],
    ['member_id', (r) => r.redemption.member],
    ['amount', (r) => r.part.amount],
    ['given_back', (r) => r.part.givenBack],
  ],
}
