import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { ALPHABETS, codeChecks, codeKeys, readableCode } from '../base/codes.ts'
import { type Program, program } from '../earning/configuration.ts'
import type { MemberState } from '../ledger/books.ts'
import { type Item, normaliseItems, totalOf } from '../purchases/purchases.rules.ts'
import { sum } from '../vouchers/discount.rules.ts'
import { type Candidate, type Quote, quote, skippedOf } from '../vouchers/quote.rules.ts'
import {
  available,
  givenBack,
  type Lock,
  type Part,
  type RollBack,
  taken,
  touched,
  type Voucher,
  type VoucherChanges,
  type VoucherRedemption,
} from '../vouchers/vouchers.rules.ts'
import type { Facts, VouchersOnOrder } from './asks.ts'
import { isRefusal } from './decisions.ts'
import { MovedError } from './faults.ts'
import { voucherSessionKey } from './names.ts'
import { findMember, type FurtherNeeds, type Slices } from './slices.ts'
import { voucherNeeds, type VoucherSlices } from './voucher-slices.ts'

/** The shortest code that we make: what is as long and of its alphabet may be one that was mistyped. */
const MADE_MIN = 11
const MADE_IN = ['readable', 'digits', 'letters'] as const

/** What an ask shares with others that name these codes, so that one list at a time holds each. */
export function sharedCodes(codes: readonly string[] | undefined): string[] {
  return (codes ?? []).map((code) => `voucher ${readableCode(code)}`)
}

/** Says that vouchers are to be read: by their codes, and all that the session has locked; and what the member used of them. */
export function needVouchers(
  slices: Pick<Slices, 'configuration'>,
  needs: Pick<FurtherNeeds, 'vouchers'>,
  said: {
    program: string
    codes?: readonly string[] | undefined
    session?: string | undefined
    member?: MemberState | undefined
  },
): void {
  const { keys, sessions, members } = voucherNeeds(needs)
  const ours = program(slices.configuration, said.program)
  for (const code of said.codes ?? []) for (const key of codeKeys(code)) keys.add(key)
  if (ours && said.session !== undefined) sessions.add(voucherSessionKey(ours.programId, said.session))
  if (said.member) members.add(said.member.member)
}

/** The voucher of the program that a code leads to. Refusals: voucher_unknown, code_mistyped. */
export function voucherOfCode(slices: VoucherSlices, programId: number, code: string): Voucher | Refusal {
  for (const key of codeKeys(code)) {
    const voucher = slices.vouchers.get(key)
    if (voucher?.programId === programId) return voucher
  }
  const plain = readableCode(code)
  const mayBeMade = plain.length >= MADE_MIN && plain.split('').every((c) => ALPHABETS.readable.includes(c))
  return mayBeMade && !MADE_IN.some((alphabet) => codeChecks(code, alphabet))
    ? refusal('code_mistyped', `"${code}" is no code: one of its characters is mistyped`)
    : refusal('voucher_unknown', `there is no voucher "${code}"`)
}

/** Whose order it is, and its lines. */
export type Order = { ours: Program; member: MemberState | undefined; items: Item[]; total: number }

/**
 * Refusals: program_unknown, program_paused, member_unknown, member_suspended, currency_mismatch, invalid_request,
 * amount_out_of_range. isRepeat: it was done before, and what was paused or suspended since refuses nothing.
 */
export function orderOf(
  slices: Pick<Slices, 'configuration' | 'states' | 'names'>,
  ask: VouchersOnOrder,
  facts: Pick<Facts, 'member'>,
  isRepeat = false,
): Order | Refusal {
  const ours = program(slices.configuration, ask.program)
  if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
  if (ours.status === 'paused' && !isRepeat) return refusal('program_paused', `the program "${ours.slug}" is paused`)
  const member = findMember(slices, facts.member)
  if (ask.member !== undefined && !member) return refusal('member_unknown', `there is no member "${ask.member}"`)
  if (member && member.status !== 1 && !isRepeat)
    return refusal('member_suspended', 'this member is suspended or closed')
  const { currency } = ask.order
  if (currency !== ours.currency)
    return refusal('currency_mismatch', `the program "${ours.slug}" is in ${ours.currency}, the order in ${currency}`)
  const items = normaliseItems(ask.order.items)
  if (isRefusal(items)) return items
  const total = totalOf(items)
  if (total === undefined) return refusal('amount_out_of_range', 'the lines add up to more than 2^53 − 1')
  return { ours, member, items, total }
}

/** What these vouchers do to the order right now. `session`: whose locks are the asker's own. */
export function quoteOf(
  slices: VoucherSlices,
  { ours, member, items }: Order,
  ask: Pick<VouchersOnOrder, 'codes' | 'policy' | 'sequence'>,
  session: string | undefined,
  now: Instant,
): Quote {
  const sessionKey = session === undefined ? undefined : voucherSessionKey(ours.programId, session)
  const candidates = ask.codes.map((code): Candidate => {
    const voucher = voucherOfCode(slices, ours.programId, code)
    if (isRefusal(voucher)) return { code, no: voucher }
    const found = available(voucher, slices.locks.get(voucher.key) ?? [], {
      member: member?.member,
      family: slices.families.get(member?.member ?? '') ?? new Set(),
      memberUses: slices.uses.get(`${voucher.key} ${member?.member}`) ?? 0,
      sessionKey,
      now,
    })
    return isRefusal(found) ? { code, voucher, no: found } : { code, voucher, available: found }
  })
  return quote(candidates, items, ask)
}

/** What a session has locked, live or not. */
function ownLocks({ locks }: VoucherSlices, sessionKey: Uuid): Lock[] {
  return [...locks.values()].flat().filter((lock) => lock.sessionKey === sessionKey)
}

function nothing(): VoucherChanges {
  return { vouchers: [], freed: [], placed: [], redemptions: [] }
}

function voucherNamed({ vouchers }: VoucherSlices, key: Uuid): Voucher {
  const voucher = vouchers.get(key)
  if (!voucher) throw new MovedError(`voucher ${key} was locked or redeemed between two looks`)
  return voucher
}

/** The session locks what was applied, and nothing else any more. */
export function lockChanges(
  slices: VoucherSlices,
  { applied }: Pick<Quote, 'applied'>,
  by: { programId: number; session: string; member: Uuid | null; until: Instant },
): VoucherChanges {
  const { session, member, until } = by
  const sessionKey = voucherSessionKey(by.programId, session)
  const changes = unlockChanges(slices, sessionKey, ({ key }) => !applied.some((one) => one.voucher.key === key))
  for (const { voucher, discounts } of applied) {
    changes.vouchers.push(touched(voucher))
    const amount = voucher.balance === null ? null : sum(discounts)
    changes.placed.push({ key: voucher.key, sessionKey, session, member, until, amount })
  }
  return changes
}

/** The session lets go of what it has locked. `which`: only of these. */
export function unlockChanges(
  slices: VoucherSlices,
  sessionKey: Uuid,
  which: (lock: Lock) => boolean = () => true,
): VoucherChanges {
  const freed = ownLocks(slices, sessionKey).filter(which)
  return { ...nothing(), freed, vouchers: freed.map(({ key }) => touched(voucherNamed(slices, key))) }
}

/** Who redeems what was applied. key: of the external id; session: a checkout, whose locks go. */
export type Redeemer = Pick<
  VoucherRedemption,
  'key' | 'id' | 'programId' | 'member' | 'externalId' | 'session' | 'digest'
>

/** Each voucher that was applied is used once. */
export function redeemChanges(
  slices: VoucherSlices,
  quoted: Quote,
  by: Redeemer,
  now: Instant,
): { changes: VoucherChanges; redemption: VoucherRedemption } {
  const { applied, totals } = quoted
  const changes = by.session === null ? nothing() : unlockChanges(slices, voucherSessionKey(by.programId, by.session))
  const used = applied.map(({ voucher, discounts }) => taken(voucher, sum(discounts)))
  changes.vouchers = [...changes.vouchers.filter(({ key }) => !used.some((one) => one.key === key)), ...used]
  const redemption: VoucherRedemption = {
    ...by,
    version: 1,
    redeemedAt: now,
    total: totals.amount,
    discount: totals.discount,
    gift: totals.gift,
    lines: quoted.lines,
    skipped: skippedOf(quoted),
    parts: applied.map(partOf),
    rollBacks: [],
  }
  changes.redemptions.push(redemption)
  return { changes, redemption }
}

function partOf({ voucher, discounts }: Quote['applied'][number]): Part {
  return {
    key: voucher.key,
    id: voucher.id,
    code: voucher.code,
    kind: voucher.terms.value.kind,
    amount: sum(discounts),
    givenBack: 0,
    lines: discounts.flatMap((discount, i): Part['lines'] => (discount > 0 ? [[i, discount]] : [])),
  }
}

/** So much goes back of these parts; a voucher has its use back when all of its part has. */
export function rollBackChanges(
  slices: VoucherSlices,
  redemption: VoucherRedemption,
  back: readonly { part: Part; amount: number }[],
  why: Pick<RollBack, 'at' | 'digest' | 'externalId' | 'reason'>,
): { changes: VoucherChanges; redemption: VoucherRedemption } {
  const after: VoucherRedemption = {
    ...redemption,
    version: redemption.version + 1,
    parts: redemption.parts.map((part) => {
      const amount = back.find((one) => one.part.key === part.key)?.amount ?? 0
      return { ...part, givenBack: part.givenBack + amount }
    }),
    rollBacks: [
      ...redemption.rollBacks,
      {
        ...why,
        amount: sum(back.map(({ amount }) => amount)),
        parts: back.map(({ part, amount }) => [part.key, amount]),
      },
    ],
  }
  const vouchers = back.map(({ part, amount }) =>
    givenBack(voucherNamed(slices, part.key), amount, part.givenBack + amount === part.amount),
  )
  return { changes: { ...nothing(), vouchers, redemptions: [after] }, redemption: after }
}

/** A voucher that is new goes in with what made it, in one decision. */
export function issueChanges(voucher: Voucher): VoucherChanges {
  return { ...nothing(), vouchers: [voucher] }
}
