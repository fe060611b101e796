import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db, Statement, Tx } from '../base/db.ts'
import { loadElders } from '../members/merges.sql.ts'
import {
  countUses,
  keysOfRedemptions,
  loadVoucherRedemptions,
  saveVoucherRedemptions,
} from '../vouchers/redemptions.sql.ts'
import type { Lock, Voucher, VoucherChanges, VoucherRedemption } from '../vouchers/vouchers.rules.ts'
import {
  loadVouchers,
  locksOfSessions,
  locksOfVouchers,
  lockVouchers,
  saveLocks,
  saveVouchers,
} from '../vouchers/vouchers.sql.ts'

/** keys: of codes; sessions: of checkouts, with all that they have locked; redemptions: by the keys of their external ids, with their vouchers. */
export type NeedsVouchers = { keys: Set<Uuid>; sessions: Set<Uuid>; members: Set<Uuid>; redemptions: Set<Uuid> }

/** Part of the slices. Vouchers and their locks by the key of their code. uses: by `key member`, of those who count as that member. */
export type VoucherSlices = {
  vouchers: Map<Uuid, Voucher>
  locks: Map<Uuid, Lock[]>
  uses: Map<string, number>
  /** a member, and all who were merged into it */
  families: Map<Uuid, Set<Uuid>>
  redemptions: Map<Uuid, VoucherRedemption>
}

export function noVouchers(): VoucherSlices {
  return { vouchers: new Map(), locks: new Map(), uses: new Map(), families: new Map(), redemptions: new Map() }
}

/** Where an ask says what it needs; empty at first. */
export function voucherNeeds(needs: { vouchers?: NeedsVouchers }): NeedsVouchers {
  needs.vouchers ??= { keys: new Set(), sessions: new Set(), members: new Set(), redemptions: new Set() }
  return needs.vouchers
}

/**
 * Reads what was said to be needed, in two round trips: the first finds what a session has locked, and what was redeemed together. Vouchers
 * are read before what belongs to them, so that this is at least as new as the version which guards it; and before redemptions, so
 * that a repeat never finds its voucher used up and not by whom.
 */
export async function loadVoucherSlices(db: Db, needs: NeedsVouchers): Promise<VoucherSlices> {
  const slices = noVouchers()
  const sessions = [...needs.sessions]
  const [own, parts, elders] = await Promise.all([
    locksOfSessions(db, sessions),
    keysOfRedemptions(db, [...needs.redemptions]),
    loadElders(db, [...needs.members]),
  ])
  for (const member of needs.members) slices.families.set(member, new Set([member]))
  for (const { member, elder } of elders) slices.families.get(member)?.add(elder)
  const keys = [...new Set([...needs.keys, ...own.map((lock) => lock.key), ...parts])]
  const people = [...new Set([...slices.families.values()].flatMap((family) => [...family]))]
  const [vouchers, locks, uses, redemptions] = await Promise.all([
    loadVouchers(db, keys),
    locksOfVouchers(db, keys, sessions, people),
    countUses(db, keys, people),
    loadVoucherRedemptions(db, [...needs.redemptions]),
  ])
  for (const one of redemptions) slices.redemptions.set(one.key, one)
  for (const voucher of vouchers) slices.vouchers.set(voucher.key, voucher)
  for (const lock of locks) putLock(slices, lock)
  for (const { key, member, uses: times } of uses) addUses(slices, key, member, times)
  return slices
}

/** Counts for everyone who the member lives on as. */
function addUses(slices: VoucherSlices, key: Uuid, member: Uuid, times: number): void {
  for (const [whose, family] of slices.families) {
    if (!family.has(member)) continue
    const name = `${key} ${whose}`
    slices.uses.set(name, (slices.uses.get(name) ?? 0) + times)
  }
}

function putLock(slices: VoucherSlices, lock: Lock): void {
  const others = (slices.locks.get(lock.key) ?? []).filter((one) => one.sessionKey !== lock.sessionKey)
  slices.locks.set(lock.key, [...others, lock])
}

/** As the asks after this one see it. */
export function applyVouchers(slices: VoucherSlices, changes: VoucherChanges): void {
  for (const voucher of changes.vouchers) slices.vouchers.set(voucher.key, voucher)
  for (const { key, sessionKey } of changes.freed) {
    const left = slices.locks.get(key)?.filter((lock) => lock.sessionKey !== sessionKey)
    slices.locks.set(key, left ?? [])
  }
  for (const lock of changes.placed) putLock(slices, lock)
  for (const redemption of changes.redemptions) {
    const before = slices.redemptions.get(redemption.key)
    for (const [i, part] of redemption.parts.entries()) {
      const was = before?.parts[i]
      const used = Number(part.givenBack < part.amount) - Number(was !== undefined && was.givenBack < was.amount)
      if (redemption.member !== null && used !== 0) addUses(slices, part.key, redemption.member, used)
    }
    slices.redemptions.set(redemption.key, redemption)
  }
}

/** What a list's decisions change, each row once: as it is after the last of them, and as it was read. */
export function saveVoucherChanges(
  space: number,
  now: Instant,
  all: readonly VoucherChanges[],
  unguarded = false,
): Statement[] {
  if (all.length === 0) return []
  const vouchers = new Map<Uuid, { voucher: Voucher; read: number }>()
  const redemptions = new Map<Uuid, { redemption: VoucherRedemption; read: number }>()
  const locks = new Map<string, { key: Uuid; sessionKey: Uuid; lock?: Lock }>()
  for (const changes of all) {
    for (const voucher of changes.vouchers) {
      const read = vouchers.get(voucher.key)?.read ?? voucher.version - 1
      vouchers.set(voucher.key, { voucher, read })
    }
    for (const redemption of changes.redemptions) {
      const read = redemptions.get(redemption.key)?.read ?? redemption.version - 1
      redemptions.set(redemption.key, { redemption, read })
    }
    for (const { key, sessionKey } of changes.freed) locks.set(`${key} ${sessionKey}`, { key, sessionKey })
    for (const lock of changes.placed)
      locks.set(`${lock.key} ${lock.sessionKey}`, { key: lock.key, sessionKey: lock.sessionKey, lock })
  }
  const ordered = inOrder(locks)
  const placed = ordered.flatMap(({ lock }) => (lock ? [lock] : []))
  return [
    ...saveVouchers(space, inOrder(vouchers), unguarded),
    ...saveLocks(space, { freed: ordered.filter(({ lock }) => !lock), placed }, [...vouchers.keys()].sort(), now),
    ...saveVoucherRedemptions(space, inOrder(redemptions), unguarded),
  ]
}

function inOrder<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

/** Held by a list that lost too often: nobody can be faster. */
export async function holdVouchers(tx: Tx, { vouchers }: VoucherSlices): Promise<void> {
  if (vouchers.size > 0) await lockVouchers(tx, [...vouchers.keys()])
}
