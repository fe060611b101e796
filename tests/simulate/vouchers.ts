import type { Instant } from '../../contract/instants.ts'
import type { VoucherCategory, VoucherValue } from '../../contract/vouchers.ts'
import { type Line, living, type Member, sum, type World } from './world.ts'

/** Vouchers as the model has them: what was redeemed and locked is a list, and every number is counted again from it. */
export type Voucher = {
  code: string
  value: VoucherValue
  category: VoucherCategory
  priority: number
  total: number | null
  perMember: number | null
  minAmount: number | null
  sku: string | null
  member: Member | null
  startsAt: Instant | null
  endsAt: Instant | null
  blocked: boolean
  /** for a reward that was redeemed; which was cancelled or used up by hand */
  issued?: boolean
  withdrawn?: boolean
  locks: Lock[]
}
type Lock = { session: string; member: Member | null; until: Instant; amount: number }

/** One voucher's part in an order; `back`: what was rolled back of it. */
type Part = { voucher: Voucher; amount: number; back: number }
export type Used = {
  content: string
  /** it was paid at a till: nobody says the same again */
  ofCheckout?: true
  member: Member | null
  parts: Part[]
  totals: Totals
  rollBacks: Map<string, string>
}
export type Totals = { amount: number; discount: number; gift: number; toPay: number }

/** A till that wants to use codes on an order. */
export type Till = {
  member?: string
  codes: string[]
  lines: Line[]
  policy: 'all' | 'partial'
  sequence: 'asked' | 'priority'
  session?: string
}

const usesOf = (w: World, voucher: Voucher): { part: Part; member: Member | null }[] =>
  [...w.used.values()].flatMap(({ parts, member }) =>
    parts.filter((part) => part.voucher === voucher && part.back < part.amount).map((part) => ({ part, member })),
  )
const liveLocks = (w: World, voucher: Voucher) => voucher.locks.filter((lock) => lock.until > w.now)
const same = (a: Member | null, b: Member) => a !== null && living(a) === b

/** What a gift card still has; of any other voucher, nothing that can be counted. */
function balanceOf(w: World, voucher: Voucher): number | null {
  if (voucher.value.kind !== 'gift') return null
  const taken = [...w.used.values()].flatMap(({ parts }) => parts.filter((part) => part.voucher === voucher))
  return voucher.value.balance - sum(taken.map((part) => part.amount - part.back))
}

/** As it is shown. */
export function voucherShown(w: World, voucher: Voucher) {
  const used = usesOf(w, voucher).length
  const balance = balanceOf(w, voucher)
  const gone = (voucher.total !== null && used >= voucher.total) || balance === 0
  const status = voucher.withdrawn
    ? 'withdrawn'
    : voucher.blocked
      ? 'blocked'
      : gone
        ? 'used_up'
        : voucher.endsAt !== null && voucher.endsAt <= w.now
          ? 'expired'
          : voucher.startsAt !== null && voucher.startsAt > w.now
            ? 'scheduled'
            : 'active'
  return { code: voucher.code, status, used, locked: liveLocks(w, voucher).length, balance }
}

/** Why this member cannot use it now in this checkout, whatever the order; else how much of a gift card there is. */
function refuses(w: World, voucher: Voucher, member: Member | null, session: string | undefined) {
  const locks = liveLocks(w, voucher)
  const others = locks.filter((lock) => lock.session !== session)
  const uses = usesOf(w, voucher)
  if (voucher.blocked || voucher.withdrawn) return 'voucher_not_applicable'
  if (others.length === locks.length) {
    if (voucher.endsAt !== null && voucher.endsAt <= w.now) return 'voucher_expired'
    if (voucher.startsAt !== null && voucher.startsAt > w.now) return 'voucher_not_applicable'
  }
  if (!member && (voucher.member || voucher.perMember !== null)) return 'voucher_not_applicable'
  if (member && voucher.member && !same(voucher.member, member)) return 'voucher_not_applicable'
  if (member && voucher.perMember !== null) {
    const own = uses.filter((use) => same(use.member, member)).length
    if (own >= voucher.perMember) return 'voucher_used_up'
    if (own + others.filter((lock) => same(lock.member, member)).length >= voucher.perMember) return 'voucher_locked'
  }
  const balance = balanceOf(w, voucher)
  if ((voucher.total !== null && uses.length >= voucher.total) || balance === 0) return 'voucher_used_up'
  if (voucher.total !== null && uses.length + others.length >= voucher.total) return 'voucher_locked'
  const free = (balance ?? 0) - sum(others.map((lock) => lock.amount))
  return balance !== null && free <= 0 ? 'voucher_locked' : free
}

/** What the codes do to the order: parts as they were applied and what is to pay; or why it cannot be. */
export function quoted(w: World, till: Till): { parts: Part[]; totals: Totals } | string {
  const member = till.member === undefined ? null : living(w.members.get(till.member) as Member)
  const total = sum(till.lines.map((line) => line.amount))
  const no = new Map<number, string>()
  const able: { i: number; voucher: Voucher; free: number }[] = []
  for (const [i, code] of till.codes.entries()) {
    const voucher = w.vouchers.get(plain(code))
    const free = voucher ? refuses(w, voucher, member, till.session) : 'voucher_unknown'
    if (voucher && typeof free === 'number') able.push({ i, voucher, free })
    else no.set(i, String(free))
  }
  if (till.sequence === 'priority') able.sort((a, b) => a.voucher.priority - b.voucher.priority)
  able.sort((a, b) => Number(a.voucher.value.kind === 'gift') - Number(b.voucher.value.kind === 'gift'))
  const parts: Part[] = []
  let left = total
  for (const { i, voucher, free } of able) {
    const off = offOf(voucher, till.lines, total, left, free)
    if (parts.some((part) => !stacks(part.voucher, voucher))) no.set(i, 'vouchers_do_not_stack')
    else if ((voucher.minAmount ?? 0) > total || off === 0) no.set(i, 'voucher_not_applicable')
    else {
      parts.push({ voucher, amount: off, back: 0 })
      left -= off
    }
  }
  const first = till.codes.map((_, i) => no.get(i)).find((code) => code !== undefined)
  if (first && (till.policy === 'all' || parts.length === 0)) return first
  const gift = sum(parts.filter(({ voucher }) => voucher.value.kind === 'gift').map(({ amount }) => amount))
  return { parts, totals: { amount: total, discount: total - left - gift, gift, toPay: left } }
}

/** Common and never do not go together, nor a voucher with itself; whatever else does. */
function stacks(a: Voucher, b: Voucher): boolean {
  const both = new Set([a.category, b.category])
  return a !== b && !(both.has('common') && both.has('never'))
}

/** What it takes off; orders with more than one line are only played with vouchers that are for all lines. */
function offOf({ value, sku }: Voucher, lines: Line[], total: number, left: number, free: number): number {
  const [line] = lines as [Line]
  if (sku !== null && line.sku !== sku) return 0
  if (value.kind === 'amount') return Math.min(value.amount, left)
  if (value.kind === 'gift') return Math.min(free, left)
  if (value.kind === 'percent')
    return Math.min(
      halfUp((value.base === 'initial' ? total : left) * value.percent, 100),
      value.maxAmount ?? left,
      left,
    )
  if (line.sku !== value.sku) return 0
  return Math.min(halfUp(line.amount * Math.min(value.quantity ?? 1, line.quantity), line.quantity), left)
}
/** Percentages have at most two decimals: in hundredths of them all is whole. */
const halfUp = (hundred: number, by: number): number =>
  Math.floor((2 * Math.round(hundred * 100) + by * 100) / (2 * by * 100))

/** Capitals, spaces and dashes do not matter. */
export const plain = (code: string): string => code.replace(/[\s-]/g, '').toUpperCase()
