import { digestOf } from '../base/keys.ts'
import type { OrderLine } from './discount.rules.ts'
import { STATUS, type Terms, type Voucher } from './vouchers.rules.ts'

const NO_LIMIT = { category: 'common', priority: 100, perMember: null, minAmount: null, appliesTo: null } as const

/** A voucher without limits, named by its code. */
export function aVoucher(
  code: string,
  terms: Partial<Terms> & Pick<Terms, 'value'>,
  more: Partial<Voucher> = {},
): Voucher {
  const balance = terms.value.kind === 'gift' ? terms.value.balance : null
  return {
    key: code,
    id: digestOf(code),
    version: 1,
    programId: 1,
    code,
    terms: { ...NO_LIMIT, ...terms },
    status: STATUS.active,
    reason: null,
    member: null,
    source: null,
    createdAt: 0,
    startsAt: null,
    endsAt: null,
    usesTotal: null,
    used: 0,
    initialBalance: balance,
    balance,
    ...more,
  }
}

/** Lines of these amounts, called 1, 2, …, of one unit each. */
export function linesOf(...amounts: number[]): OrderLine[] {
  return amounts.map((amount, i) => ({ line: String(i + 1), sku: `S${i + 1}`, quantity: 1, amount }))
}
