import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { type Redemption, STATUS as REDEMPTION } from '../redemptions/redemptions.rules.ts'
import { STATUS, type Voucher } from '../vouchers/vouchers.rules.ts'
import { loadVouchers } from '../vouchers/vouchers.sql.ts'
import { issuedVoucher, tillValue } from './redemption-vouchers.ts'

/**
 * The vouchers of these redemptions against what was redeemed: each is there, is its member's, is worth what was recorded and is
 * withdrawn where it was cancelled, and can be used as often and as long. The first that is wrong.
 */
export async function auditIssued(
  db: Db,
  { rewards }: Configuration,
  redemptions: readonly Redemption[],
): Promise<{ member: string; what: string } | undefined> {
  const issued = redemptions.filter(({ said }) => said.voucher !== undefined)
  if (issued.length === 0) return undefined
  const keys = new Set(issued.flatMap(({ said }) => said.voucher ?? []))
  const vouchers = new Map((await loadVouchers(db, [...keys])).map((one) => [one.key, one]))
  const kinds = new Map(rewards.map(({ rewardId, kind }) => [rewardId, kind]))
  for (const one of issued) {
    const kind = kinds.get(one.rewardId)
    const value = kind && tillValue(kind, one.said.value)
    const what = auditOne(one, value, vouchers.get(one.said.voucher ?? ''))
    if (what) return { member: encodeId('mem', one.member), what: `redemption ${encodeId('rdm', one.id)}: ${what}` }
  }
  return undefined
}

function auditOne(
  one: Redemption,
  value: Voucher['terms']['value'] | undefined,
  voucher?: Voucher,
): string | undefined {
  const isCancelled = one.status === REDEMPTION.cancelled
  if (!voucher) return 'the voucher that it was issued with is not there'
  if (voucher.source !== one.id) return isCancelled ? undefined : 'its voucher is not its own' // its code came back, and is another's
  if (!value || one.code === null || said(voucher) !== said(issuedVoucher(one, one.code, value)))
    return 'its voucher is not what was recorded'
  // a use by hand takes one away, the last one by withdrawing it
  if (voucher.usesTotal !== (value.kind === 'gift' ? null : Math.max(1, one.uses - one.used)))
    return 'its voucher can be used more or less often than it'
  const isWithdrawn = voucher.status === STATUS.withdrawn
  if (isCancelled) return isWithdrawn && voucher.used === 0 ? undefined : 'it was cancelled, and its voucher was not'
  return isWithdrawn && one.used === 0 ? 'its voucher is withdrawn, though it was not cancelled' : undefined
}

/** What never changes of it. */
function said(v: Voucher): string {
  const { value, perMember } = v.terms
  return JSON.stringify([
    [v.id, v.member, v.programId, v.code, v.source, v.createdAt, v.startsAt, v.endsAt],
    [v.initialBalance, value, perMember],
  ])
}

/** A voucher that says that it was issued with a redemption that is not there, or a redemption of nobody. */
export async function findStrayIssued(db: Db): Promise<string | undefined> {
  const [voucher] = await db.query<{ id: Uuid }>(
    `select v.voucher_id as id from vouchers v where v.space_id = $1 and v.source_id is not null and not exists (
       select from redemptions r where r.space_id = $1 and r.member_id = v.bound_to and r.redemption_id = v.source_id) limit 1`,
    [db.space],
  )
  if (voucher) return `voucher ${encodeId('vch', voucher.id)}: the redemption that it was issued with is not there`
  const [stray] = await db.query<{ id: Uuid }>(
    `select r.redemption_id as id from redemptions r where r.space_id = $1 and not exists (
       select from member_states s where s.space_id = $1 and s.member_id = r.member_id) limit 1`,
    [db.space],
  )
  return stray && `redemption ${encodeId('rdm', stray.id)}: its member is not there`
}
