import { encodeId } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { LockAnswer, VoucherAnswer, VoucherRedemptionAnswer } from '@laurel/contract/vouchers'
import type { Program } from '../earning/configuration.ts'
import { sum } from '../vouchers/discount.rules.ts'
import { type Quote, verdictAnswer } from '../vouchers/quote.rules.ts'
import { type SaidLine, statusOf, type Voucher, type VoucherRedemption } from '../vouchers/vouchers.rules.ts'
import type { VouchersOnOrder } from './asks.ts'
import type { Order } from './vouchers.ts'

const instantOrNull = (at: Instant | null) => (at === null ? null : formatInstant(at))
const memberOrNull = (member: string | null | undefined) => (member == null ? null : encodeId('mem', member))
const toPay = (line: SaidLine) => ({ ...line, toPay: line.amount - line.discount - line.gift })

/** A voucher as clients see it. `locked`: how many checkouts have locked it right now. */
export function voucherAnswer(program: Program, voucher: Voucher, locked: number, now: Instant): VoucherAnswer {
  const { terms, usesTotal, used } = voucher
  return {
    id: encodeId('vch', voucher.id),
    program: program.slug,
    code: voucher.code,
    status: statusOf(voucher, now),
    value: terms.value,
    category: terms.category,
    priority: terms.priority,
    uses: {
      total: usesTotal,
      perMember: terms.perMember,
      used,
      locked,
      left: usesTotal === null ? null : Math.max(0, usesTotal - used - locked),
    },
    ...(voucher.balance === null ? {} : { balance: voucher.balance }),
    minAmount: terms.minAmount,
    appliesTo: terms.appliesTo,
    startsAt: instantOrNull(voucher.startsAt),
    endsAt: instantOrNull(voucher.endsAt),
    member: memberOrNull(voucher.member),
    source: voucher.source === null ? null : encodeId('rdm', voucher.source),
    ...(voucher.reason === null ? {} : { reason: voucher.reason }),
    createdAt: formatInstant(voucher.createdAt),
  }
}

/** What vouchers do to an order, as clients see it. */
export function quoteAnswer(
  { ours, member }: Order,
  { policy, sequence }: Pick<VouchersOnOrder, 'policy' | 'sequence'>,
  { verdicts, lines, totals }: Quote,
): Omit<LockAnswer, 'session' | 'until'> {
  return {
    program: ours.slug,
    member: memberOrNull(member?.member),
    currency: ours.currency,
    policy,
    sequence,
    vouchers: verdicts.map((one) => verdictAnswer(one, lines, ({ id }) => encodeId('vch', id))),
    lines: lines.map(toPay),
    totals,
  }
}

/** Vouchers that were redeemed together, as clients see it. */
export function voucherRedemptionAnswer(ours: Program, redemption: VoucherRedemption): VoucherRedemptionAnswer {
  const { parts, lines, total, discount, gift } = redemption
  const codeOf = (key: string) => parts.find((part) => part.key === key)?.code ?? ''
  const back = sum(parts.map((part) => part.givenBack))
  const isWhole = parts.every((part) => part.givenBack === part.amount)
  return {
    id: encodeId('vrd', redemption.id),
    program: ours.slug,
    member: memberOrNull(redemption.member),
    externalId: redemption.externalId,
    ...(redemption.session === null ? {} : { session: redemption.session }),
    status: isWhole ? 'rolled_back' : back > 0 ? 'partly_rolled_back' : 'redeemed',
    redeemedAt: formatInstant(redemption.redeemedAt),
    currency: ours.currency,
    vouchers: parts.map((part) => ({
      voucher: encodeId('vch', part.id),
      code: part.code,
      kind: part.kind,
      discount: part.amount,
      lines: part.lines.map(([i, off]) => ({ line: lines[i]?.line ?? '', discount: off })),
      rolledBack: part.givenBack,
      undone: part.givenBack === part.amount,
    })),
    skipped: redemption.skipped,
    lines: lines.map(toPay),
    totals: { amount: total, discount, gift, toPay: total - discount - gift },
    rollBacks: redemption.rollBacks.map(({ at, amount, parts: of, externalId, reason }) => ({
      at: formatInstant(at),
      amount,
      vouchers: of.map(([key, n]) => ({ code: codeOf(key), amount: n })),
      ...(externalId === undefined ? {} : { externalId }),
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}
