import type { AppliesTo, VoucherValue } from '@laurel/contract/vouchers'

/** A line of an order; amount: of the whole line, in minor units. */
export type OrderLine = {
  line: string
  sku: string
  category?: string | undefined
  brand?: string | undefined
  quantity: number
  amount: number
}

/** Whether a line has one of the SKUs, categories or brands; any line where nothing is said. */
export function isMeant(line: OrderLine, appliesTo: AppliesTo | null): boolean {
  if (appliesTo === null) return true
  const { skus, categories, brands } = appliesTo
  return (
    (skus?.includes(line.sku) ?? false) ||
    (line.category !== undefined && (categories?.includes(line.category) ?? false)) ||
    (line.brand !== undefined && (brands?.includes(line.brand) ?? false))
  )
}

/**
 * What a voucher takes off each line, in minor units and never more than is left of the line. `remaining`: what is left of each after
 * the vouchers before it. `balance`: what can be taken of a gift card. Percentages are rounded half up, once, over all lines that are
 * meant; the sum is spread over the lines in proportion to what is left of them, by largest remainders.
 */
export function discountOf(
  value: VoucherValue,
  appliesTo: AppliesTo | null,
  lines: readonly OrderLine[],
  remaining: readonly number[],
  balance: number,
): number[] {
  const room = lines.map((line, i) => (isMeant(line, appliesTo) ? (remaining[i] ?? 0) : 0))
  const left = sum(room)
  switch (value.kind) {
    case 'amount':
      return spread(Math.min(value.amount, left), room)
    case 'gift':
      return spread(Math.min(balance, left), room)
    case 'percent': {
      const initial = sum(lines.map((line) => (isMeant(line, appliesTo) ? line.amount : 0)))
      const off = percentOf(value.base === 'initial' ? initial : left, value.percent)
      return spread(Math.min(off, value.maxAmount ?? left, left), room)
    }
    case 'product':
      return unitsOf(value, lines, room)
  }
}

/** Free units of a product: of its lines in their order, each unit at its share of its line, rounded half up. */
function unitsOf(
  { sku, quantity = 1 }: { sku: string; quantity?: number | undefined },
  lines: readonly OrderLine[],
  room: readonly number[],
): number[] {
  let units = quantity
  return lines.map((line, i) => {
    if (line.sku !== sku || units === 0 || room[i] === 0) return 0
    const free = Math.min(units, line.quantity)
    units -= free
    return Math.min(shareOf(line.amount, free, line.quantity), room[i] ?? 0)
  })
}

/** amount × part ÷ whole, rounded half up; exact whatever their size. */
function shareOf(amount: number, part: number, whole: number): number {
  return Number((BigInt(amount) * BigInt(part) * 2n + BigInt(whole)) / (BigInt(whole) * 2n))
}

/** percent: of at most two decimals. */
export function percentOf(amount: number, percent: number): number {
  return shareOf(amount, Math.round(percent * 100), 10_000)
}

/**
 * A total spread in proportion to weights whose sum is not less: each part is at most its weight, and they add up exactly. The
 * largest remainders are rounded up, the first of equals first.
 */
export function spread(total: number, weights: readonly number[]): number[] {
  const whole = sum(weights)
  if (whole === 0) return weights.map(() => 0)
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  const isSmall = total * largest <= Number.MAX_SAFE_INTEGER // then numbers are exact, and many times as fast
  const parts: number[] = []
  const rests: number[] = []
  for (const weight of weights) {
    const rest = isSmall ? (total * weight) % whole : Number((BigInt(total) * BigInt(weight)) % BigInt(whole))
    rests.push(rest)
    parts.push(isSmall ? (total * weight - rest) / whole : Number((BigInt(total) * BigInt(weight)) / BigInt(whole)))
  }
  const open = total - sum(parts)
  if (open === 0) return parts
  const order = parts.map((_, i) => i).sort((a, b) => (rests[b] ?? 0) - (rests[a] ?? 0) || a - b)
  for (const i of order.slice(0, open)) parts[i] = (parts[i] ?? 0) + 1
  return parts
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, n) => all + n, 0)
}
