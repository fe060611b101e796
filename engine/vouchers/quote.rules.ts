import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { VoucherVerdict } from '@laurel/contract/vouchers'
import { discountOf, isMeant, type OrderLine, sum } from './discount.rules.ts'
import { refusesStack } from './stacking.rules.ts'
import type { Available, SaidLine, Skipped, Voucher } from './vouchers.rules.ts'

/** A code as it was asked, and the voucher that it is; or why it is none, or none for this member now. */
export type Candidate =
  | { code: string; voucher: Voucher; available: Available }
  | { code: string; voucher?: Voucher | undefined; no: Refusal }

/** discounts: a line each, in minor units. `no`: why it cannot be used. */
export type Verdict = { code: string; voucher?: Voucher | undefined; discounts: number[]; no?: Refusal | undefined }

/** What vouchers do to an order. applied: in the order in which they were. `no`: why it cannot be redeemed so. */
export type Quote = {
  verdicts: Verdict[]
  applied: (Verdict & { voucher: Voucher })[]
  lines: SaidLine[]
  totals: { amount: number; discount: number; gift: number; toPay: number }
  no?: Refusal | undefined
}

export type HowToQuote = { policy: 'all' | 'partial'; sequence: 'asked' | 'priority' }

/**
 * What the vouchers do to the order. They are applied as asked, or by priority (lower first, equals as asked); gift cards last, since
 * they pay for what is left. Each is refused that cannot be used with those before it, or would take nothing off. With the policy `all`
 * one that is refused refuses the order; with `partial` only all of them.
 */
export function quote(candidates: readonly Candidate[], lines: readonly OrderLine[], how: HowToQuote): Quote {
  const verdicts: Verdict[] = candidates.map((one) => ({ ...one, discounts: lines.map(() => 0) }))
  const places = candidates.flatMap((one, i) => ('available' in one ? [{ ...one, i }] : []))
  const remaining = lines.map((line) => line.amount)
  const applied: Quote['applied'] = []
  for (const { i, voucher, available } of inOrder(places, how.sequence)) {
    const verdict = verdicts[i] as Verdict & { voucher: Voucher }
    const discounts = attempt(voucher, available, applied, lines, remaining)
    if ('code' in discounts) {
      verdict.no = discounts
      continue
    }
    verdict.discounts = discounts
    for (const [at, discount] of discounts.entries()) remaining[at] = (remaining[at] ?? 0) - discount
    applied.push(verdict)
  }
  const refusals = verdicts.flatMap(({ no }) => (no ? [no] : []))
  const isRefused = how.policy === 'all' ? refusals.length > 0 : applied.length === 0
  return { verdicts, applied, ...sums(lines, applied), no: isRefused ? refusals[0] : undefined }
}

const isGift = ({ voucher }: { voucher: Voucher }) => voucher.terms.value.kind === 'gift'

function inOrder<T extends { voucher: Voucher }>(places: readonly T[], sequence: HowToQuote['sequence']): T[] {
  const byPriority = (a: T, b: T) => a.voucher.terms.priority - b.voucher.terms.priority
  const ordered = sequence === 'priority' ? places.toSorted(byPriority) : places
  return [...ordered.filter((one) => !isGift(one)), ...ordered.filter(isGift)]
}

/** What it takes off, or why it cannot be used on this order. */
function attempt(
  voucher: Voucher,
  { balance }: Available,
  applied: Quote['applied'],
  lines: readonly OrderLine[],
  remaining: readonly number[],
): number[] | Refusal {
  const { value, category, appliesTo, minAmount } = voucher.terms
  const no = (detail: string) => refusal('voucher_not_applicable', `the voucher "${voucher.code}" ${detail}`)
  if (applied.some((one) => one.voucher.key === voucher.key))
    return refusal('vouchers_do_not_stack', `the voucher "${voucher.code}" is named twice`)
  const against = refusesStack(
    applied.map((one) => ({ code: one.voucher.code, category: one.voucher.terms.category })),
    { code: voucher.code, category },
  )
  if (against) return against
  const total = sum(lines.map((line) => line.amount))
  if (minAmount !== null && total < minAmount)
    return no(`needs an order of ${minAmount} minor units, and this one comes to ${total}`)
  if (!lines.some((line) => isMeant(line, appliesTo) && (value.kind !== 'product' || line.sku === value.sku)))
    return no('is for nothing in this order')
  const discounts = discountOf(value, appliesTo, lines, remaining, balance)
  return sum(discounts) > 0 ? discounts : no('would take nothing off: nothing is left to pay of what it is for')
}

function sums(lines: readonly OrderLine[], applied: Quote['applied']): Pick<Quote, 'lines' | 'totals'> {
  const said = lines.map(({ line, sku, amount }) => ({ line, sku, amount, discount: 0, gift: 0 }))
  for (const one of applied) {
    const kind = isGift(one) ? 'gift' : 'discount'
    for (const [i, line] of said.entries()) line[kind] += one.discounts[i] ?? 0
  }
  const amount = sum(said.map((one) => one.amount))
  const discount = sum(said.map((one) => one.discount))
  const gift = sum(said.map((one) => one.gift))
  return { lines: said, totals: { amount, discount, gift, toPay: amount - discount - gift } }
}

/** As clients see it. `idOf`: a voucher's public id. */
export function verdictAnswer(
  verdict: Verdict,
  lines: readonly SaidLine[],
  idOf: (v: Voucher) => string,
): VoucherVerdict {
  const { code, voucher, discounts, no } = verdict
  return {
    code: voucher?.code ?? code,
    voucher: voucher ? idOf(voucher) : null,
    applicable: no === undefined,
    ...(no ? { why: { code: no.code, detail: no.detail } } : {}),
    kind: voucher?.terms.value.kind ?? null,
    discount: sum(discounts),
    lines: lines.flatMap(({ line }, i) => (discounts[i] ? [{ line, discount: discounts[i] }] : [])),
  }
}

/** Codes that were asked and not used, and why. */
export function skippedOf({ verdicts }: Quote): Skipped[] {
  return verdicts.flatMap(({ code, voucher, no }) =>
    no ? [{ code: voucher?.code ?? code, why: { code: no.code, detail: no.detail } }] : [],
  )
}
