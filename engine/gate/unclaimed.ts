import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { NOBODY } from '../base/names.ts'
import type { Program } from '../earning/configuration.ts'
import type { MemberState } from '../ledger/books.ts'
import {
  allocateNamed,
  amountReturned,
  type Item,
  type Purchase,
  type Return,
  returnedUnits,
} from '../purchases/purchases.rules.ts'
import {
  claimableUntil,
  RETURNS_MAX,
  type Unclaimed,
  type UnclaimedReturn,
  withReturn,
} from '../unclaimed/unclaimed.rules.ts'
import { returnAnswer } from './answers.ts'
import type { Facts, PurchaseAsk, ReturnAsk } from './asks.ts'
import { badInstant, namesNothing } from './checks.ts'
import { type Changes, type Decision, isRefusal } from './decisions.ts'
import { MovedError } from './faults.ts'
import { returnDigest } from './digests.ts'
import { purchaseKey, returnKey } from './names.ts'
import { type Said, unclaimedContentOf } from './said.ts'
import { findMember, type Named, type Slices } from './slices.ts'

/** The purchase without a member that a name leads to, if it leads to one. Throws `moved` where it went meanwhile. */
export function unclaimedNamed(slices: Slices, key: Uuid | undefined): Unclaimed | undefined {
  if (key === undefined || !isNobodys(slices.names.get(key))) return undefined
  const found = slices.unclaimed.get(key)
  if (!found) throw new MovedError('a purchase without a member was claimed between two looks')
  return found
}

export function isNobodys(named: Named | undefined): boolean {
  return named?.member === NOBODY
}

/** Of the purchase that a return names by its external id. */
export function keyOfPurchase({ purchase }: ReturnAsk): Uuid | undefined {
  return purchase?.startsWith('external:') ? purchaseKey(purchase.slice(9)) : undefined
}

/** Its purchase has no member. */
export type Nobody = { nobody: true }

/** Whose return it is: the member's that it says, or else the purchase's. Refusals: member_unknown, purchase_unknown. */
export function whoseReturn(slices: Slices, ask: ReturnAsk, facts: Facts): MemberState | Nobody | Refusal {
  if (ask.member !== undefined)
    return findMember(slices, facts.member) ?? refusal('member_unknown', `there is no member "${ask.member}"`)
  const named = slices.names.get(keyOfPurchase(ask) ?? '')
  if (isNobodys(named)) return { nobody: true }
  const member = named && findMember(slices, { id: named.member })
  return member ?? refusal('purchase_unknown', `there is no purchase "${ask.purchase}"`)
}

/**
 * Why a purchase that has no member yet cannot become this one. What a shop says of a purchase of its own holds whenever it says so;
 * what a member claims, within the time that the program gives. Refusals: external_id_conflict, claim_expired.
 */
export function refusesClaim(
  kept: Unclaimed,
  ask: PurchaseAsk,
  ours: Program,
  said: Said,
  facts: Facts,
): Refusal | undefined {
  if (kept.digest !== unclaimedContentOf(said)) {
    return refusal('external_id_conflict', `the external id "${kept.externalId}" names a purchase with other content`)
  }
  const until = claimableUntil(kept.recordedAt, ours.claimDays)
  if (ask.claims && until !== undefined && facts.now >= until)
    return refusal('claim_expired', `it could be claimed until ${formatInstant(until)}`)
  return undefined
}

/** What becomes of a purchase without a member, and of what had come back of it, when it is this member's. */
export function claimed(
  kept: Unclaimed,
  purchase: Purchase,
): { claims: NonNullable<Changes['claims']>; names: Changes['names'] } {
  const { member } = purchase
  const returns = (kept.returned?.returns ?? []).map((one) => storedReturn(purchase, one))
  const names = returns.map((one) => ({ key: returnKey(one.externalId), member, object: one.id, seq: null }))
  const frees = [kept.key, ...names.map(({ key }) => key)]
  return { claims: { change: { key: kept.key, before: kept.version, after: null }, returns, frees }, names }
}

function storedReturn({ member, id, programId }: Purchase, one: UnclaimedReturn): Return {
  const { lines, ...said } = one
  return {
    ...said,
    member,
    programId,
    digest: returnDigest(member, programId, one.occurredAt, one.asked),
    purchase: id,
    lines: lines.map((line) => ({ purchase: id, ...line })),
    unmatched: [],
    taken: [],
  }
}

/**
 * Something comes back of a purchase that has no member: nobody has points of it, and whoever claims it earns on what is left.
 * Refusals: program_paused, invalid_request, purchase_unknown, return_exceeds_purchase, external_id_conflict.
 */
export function returnOfUnclaimed(
  slices: Slices,
  ask: ReturnAsk,
  asked: string,
  ours: Program,
  facts: Facts,
): Decision | Refusal {
  const kept = unclaimedNamed(slices, keyOfPurchase(ask))
  if (!kept) throw new Error('a return of nobody names a purchase without a member')
  const digest = returnDigest(NOBODY, ours.programId, ask.occurredAt, asked)
  const before = slices.names.get(facts.name ?? '')
  if (before) return repeat(ours, kept, before, digest, ask.externalId)
  if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
  const bad = badInstant(ask.occurredAt, facts.now) ?? namesNothing(ask)
  if (bad) return bad
  if (kept.programId !== ours.programId)
    return refusal('purchase_unknown', `there is no purchase "${ask.purchase}" in this program`)
  if ((kept.returned?.returns.length ?? 0) >= RETURNS_MAX)
    return refusal('return_exceeds_purchase', `more than ${RETURNS_MAX} returns of a purchase that nobody has claimed`)
  const items = JSON.parse(kept.itemsText) as Item[]
  const found = unitsBack(items, kept, ask)
  if (isRefusal(found)) return found
  const one: UnclaimedReturn = {
    id: facts.id,
    externalId: ask.externalId,
    digest,
    occurredAt: ask.occurredAt,
    recordedAt: facts.now,
    asked,
    lines: found.lines,
  }
  const about = {
    return: encodeId('ret', one.id),
    purchase: encodeId('pur', kept.id),
    program: ours.slug,
    externalId: one.externalId,
    occurredAt: formatInstant(one.occurredAt),
    points: 0,
  }
  return {
    status: 201,
    body: bodyOf(ours, kept, one),
    kept: {
      change: { key: kept.key, before: kept.version, after: withReturn(kept, found.units, one) },
      names: [{ key: facts.name ?? '', member: NOBODY, object: one.id, seq: null }],
      events: [{ type: 'purchase.returned', data: about }],
    },
  }
}

/** Which units come back, and all that came back with them. */
function unitsBack(
  items: Item[],
  kept: Unclaimed,
  ask: ReturnAsk,
): { units: number[]; lines: UnclaimedReturn['lines'] } | Refusal {
  const returned = kept.returned && { units: kept.returned.units, wallets: [] }
  const allocations = allocateNamed({ items, returned } as Purchase, ask.items)
  if (isRefusal(allocations)) return allocations
  const units = returnedUnits({ items, returned })
  const lines = allocations.map(({ index, quantity }) => {
    const item = items[index] as Item
    const was = units[index] ?? 0
    units[index] = was + quantity
    const amount =
      amountReturned(item.amount, was + quantity, item.quantity) - amountReturned(item.amount, was, item.quantity)
    return { index, line: item.line, sku: item.sku, quantity, amount }
  })
  return { units, lines }
}

function repeat(ours: Program, kept: Unclaimed, before: Named, digest: Uuid, name: string): Decision | Refusal {
  const one = kept.returned?.returns.find(({ id }) => id === before.object)
  if (one?.digest !== digest)
    return refusal('external_id_conflict', `the external id "${name}" names a return with other content`)
  return { status: 200, body: bodyOf(ours, kept, one) }
}

function bodyOf(ours: Program, kept: Unclaimed, one: UnclaimedReturn): string {
  const shown = storedReturn({ member: NOBODY, id: kept.id, programId: kept.programId } as Purchase, one)
  return JSON.stringify({ ...returnAnswer(ours, shown), member: null, wallets: [] })
}
