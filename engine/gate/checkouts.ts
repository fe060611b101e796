import type { CheckoutView, PayAsked } from '@laurel/contract/checkouts'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import {
  type Checkout,
  hasLapsed,
  type Line,
  type Paid,
  type Paying,
  type Said,
  STATUS,
  type Sums,
} from '../checkouts/checkouts.rules.ts'
import { digestOf } from '../base/keys.ts'
import { type Configuration, type Program, programById } from '../earning/configuration.ts'
import type { Item } from '../purchases/purchases.rules.ts'
import { spread, sum } from '../vouchers/discount.rules.ts'
import { type Quote, verdictAnswer } from '../vouchers/quote.rules.ts'
import { walletSlug } from './answers.ts'

/** The wallets that are to pay, in the order in which they were said. Refusals: wallet_unknown. */
export function payingOf(
  configuration: Configuration,
  ours: Program,
  asked: Readonly<Record<string, PayAsked>>,
  availableIn: (walletId: number) => number,
): Paying[] | Refusal {
  const wallets: Paying[] = []
  for (const [slug, how] of Object.entries(asked)) {
    const wallet = ours.wallets.find((one) => one.slug === slug)
    const configured = wallet && configuration.byWalletId.get(wallet.walletId)
    if (!configured) return refusal('wallet_unknown', `the program "${ours.slug}" has no wallet "${slug}"`)
    const { walletId } = wallet
    wallets.push({ walletId, slug, pays: configured.settings.pays, asked: how, available: availableIn(walletId) })
  }
  return wallets
}

/** How an order is paid, a line and in all: what points pay is spread over the lines as far as they are to be paid. */
export function sumsOf({ applied, verdicts, lines }: Quote, paid: Paid[]): Sums {
  const left = lines.map(({ amount, discount, gift }) => amount - discount - gift)
  const shares = spread(sum(paid.map(({ amount }) => amount)), left)
  return {
    lines: lines.map((line, i) => ({ ...line, points: shares[i] ?? 0 })),
    paid,
    applied: applied.map(({ voucher, discounts }) => ({ key: voucher.key, discounts })),
    verdicts: verdicts.map((one) => verdictAnswer(one, lines, ({ id }) => encodeId('vch', id))),
  }
}

/** The lines as a purchase has them: net of discounts and of what points paid. What a gift card pays was money once, and earns. */
export function netItems(items: readonly Item[], { lines }: Pick<Sums, 'lines'>): Item[] {
  return items.map((item, i) => {
    const { discount = 0, points = 0 } = lines[i] ?? {}
    return { ...item, amount: item.amount - discount - points }
  })
}

/** All that was asked, under the member that it was asked of: a repeat is compared by it. */
export function checkoutDigest(member: Uuid, programId: number, said: Said): Uuid {
  return digestOf(JSON.stringify(['checkout', member, programId, { ...said, points: Object.entries(said.points) }]))
}

/** Which codes a checkout has locked. */
export function codesOf({ said, sums }: Pick<Checkout, 'said' | 'sums'>): string[] {
  return sums.applied.length === 0 ? [] : said.vouchers
}

const toPay = (line: Line) => ({ ...line, toPay: line.amount - line.discount - line.gift - line.points })

/** Its sums as clients see them. */
export function sumsView(program: Program, { lines, paid, verdicts }: Sums) {
  const shown = lines.map(toPay)
  const total = (field: 'amount' | 'discount' | 'gift' | 'points' | 'toPay') => sum(shown.map((line) => line[field]))
  return {
    program: program.slug,
    currency: program.currency,
    vouchers: verdicts,
    points: paid.map(({ walletId, points, amount }) => ({ wallet: walletSlug(program, walletId), points, amount })),
    lines: shown,
    totals: {
      amount: total('amount'),
      discount: total('discount'),
      gift: total('gift'),
      points: total('points'),
      toPay: total('toPay'),
    },
  }
}

const NAMES = { [STATUS.reserved]: 'reserved', [STATUS.committed]: 'committed', [STATUS.voided]: 'voided' } as const

/** A checkout as clients see it. */
export function checkoutView(configuration: Configuration, checkout: Checkout, now: Instant): CheckoutView {
  const program = programById(configuration, checkout.programId)
  if (!program) throw new Error(`program ${checkout.programId} is not in the configuration`)
  const lapsed = hasLapsed(checkout, now)
  const settledAt = lapsed ? checkout.deadline : checkout.settledAt
  return {
    id: encodeId('chk', checkout.id),
    member: encodeId('mem', checkout.member),
    externalId: checkout.externalId,
    status: lapsed ? 'lapsed' : NAMES[checkout.status],
    reservedAt: formatInstant(checkout.reservedAt),
    deadline: formatInstant(checkout.deadline),
    settledAt: settledAt === null ? null : formatInstant(settledAt),
    ...sumsView(program, checkout.sums),
    hold: checkout.hold === null ? null : encodeId('hld', checkout.hold),
    purchase: checkout.purchase === null ? null : encodeId('pur', checkout.purchase),
  }
}
