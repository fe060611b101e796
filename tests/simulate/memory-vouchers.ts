import type { Uuid } from '../../contract/ids.ts'
import type { Instant } from '../../contract/instants.ts'
import { codeKey, codeKeys, plainCode } from '../../engine/base/codes.ts'
import { newId } from '../../engine/base/ids.ts'
import { noVouchers, type NeedsVouchers, type VoucherSlices } from '../../engine/gate/voucher-slices.ts'
import {
  type Lock,
  STATUS,
  statusOf,
  touched,
  type Voucher,
  type VoucherChanges,
  type VoucherRedemption,
} from '../../engine/vouchers/vouchers.rules.ts'
import type { VoucherShown } from './driver.ts'
import type { Change, Made } from './features/vouchers.ts'

/** What voucher-slices.ts reads and writes, as maps. Locks by `key sessionKey`. */
export type VoucherTables = {
  vouchers: Map<Uuid, Voucher>
  locks: Map<string, Lock>
  redemptions: Map<Uuid, VoucherRedemption>
}

export function voucherTablesOf(): VoucherTables {
  return { vouchers: new Map(), locks: new Map(), redemptions: new Map() }
}

/** `living`: whom a member lives on as. */
export function loadVouchers(
  t: VoucherTables,
  needs: NeedsVouchers,
  living: (member: Uuid) => Uuid | undefined,
): VoucherSlices {
  const slices = noVouchers()
  const keys = new Set(needs.keys)
  for (const lock of t.locks.values()) if (needs.sessions.has(lock.sessionKey)) keys.add(lock.key)
  for (const key of needs.redemptions) {
    const one = t.redemptions.get(key)
    if (!one) continue
    slices.redemptions.set(key, one)
    for (const part of one.parts) keys.add(part.key)
  }
  for (const member of needs.members) slices.families.set(member, new Set([member]))
  const people = [...t.redemptions.values(), ...t.vouchers.values(), ...t.locks.values()].map(({ member }) => member)
  for (const elder of people) if (elder !== null) slices.families.get(living(elder) ?? '')?.add(elder)
  for (const key of keys) {
    const voucher = t.vouchers.get(key)
    if (voucher) slices.vouchers.set(key, voucher)
  }
  const families = [...slices.families.values()]
  for (const lock of t.locks.values()) {
    const voucher = slices.vouchers.get(lock.key)
    if (!voucher) continue
    const own = needs.sessions.has(lock.sessionKey) || families.some((family) => family.has(lock.member ?? ''))
    if (own || voucher.usesTotal !== null || voucher.balance !== null)
      slices.locks.set(lock.key, [...(slices.locks.get(lock.key) ?? []), lock])
  }
  for (const { member, parts } of t.redemptions.values()) {
    for (const part of parts) {
      if (part.givenBack === part.amount || !slices.vouchers.has(part.key)) continue
      for (const [whose, family] of slices.families) {
        if (member === null || !family.has(member)) continue
        const name = `${part.key} ${whose}`
        slices.uses.set(name, (slices.uses.get(name) ?? 0) + 1)
      }
    }
  }
  return slices
}

export function saveVouchers(t: VoucherTables, { vouchers, freed, placed, redemptions }: VoucherChanges): void {
  for (const voucher of vouchers) t.vouchers.set(voucher.key, voucher)
  for (const { key, sessionKey } of freed) t.locks.delete(`${key} ${sessionKey}`)
  for (const lock of placed) t.locks.set(`${lock.key} ${lock.sessionKey}`, lock)
  for (const one of redemptions) t.redemptions.set(one.key, one)
}

/** As configure-vouchers.ts. */
export function createVoucher(t: VoucherTables, at: Instant, member: Uuid | null, said: Omit<Made, 'holder'>): string {
  const { code, value, total, perMember, sku, category, priority, minAmount, startsAt, endsAt } = said
  if (codeKeys(code).some((key) => t.vouchers.has(key))) return 'already_exists'
  const key = codeKey(plainCode(code))
  const balance = value.kind === 'gift' ? value.balance : null
  const appliesTo = sku === null ? null : { skus: [sku] }
  t.vouchers.set(key, {
    key,
    id: newId(0),
    version: 1,
    programId: 1,
    code,
    terms: { value, category, priority, perMember, minAmount, appliesTo },
    status: STATUS.active,
    reason: null,
    member,
    source: null,
    createdAt: at,
    startsAt,
    endsAt,
    usesTotal: total,
    used: 0,
    initialBalance: balance,
    balance,
  })
  return 'ok'
}

export function changeVoucher(t: VoucherTables, at: Instant, code: string, change: Change): string {
  const one = codeKeys(code).flatMap((key) => t.vouchers.get(key) ?? [])[0]
  if (!one) return 'voucher_unknown'
  if (one.status === STATUS.withdrawn) return 'voucher_not_applicable'
  if (one.source !== null && !('blocked' in change)) return 'invalid_request'
  const { startsAt } = one
  const locked = [...t.locks.values()].filter((lock) => lock.key === one.key && lock.until > at).length
  if ('total' in change && change.total !== null && change.total < one.used + locked) return 'invalid_request'
  if ('endsAt' in change && change.endsAt !== null && startsAt !== null && change.endsAt <= startsAt)
    return 'invalid_request'
  const after = touched(one)
  if ('total' in change) after.usesTotal = change.total
  if ('endsAt' in change) after.endsAt = change.endsAt
  if ('blocked' in change) after.status = change.blocked ? STATUS.blocked : STATUS.active
  t.vouchers.set(one.key, after)
  return 'ok'
}

export function vouchersShown(t: VoucherTables, at: Instant): VoucherShown[] {
  return [...t.vouchers.values()].map((one) => {
    const locked = [...t.locks.values()].filter((lock) => lock.key === one.key && lock.until > at).length
    return { code: one.code, status: statusOf(one, at), used: one.used, locked, balance: one.balance }
  })
}
