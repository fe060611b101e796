import { encodeId, type Uuid } from '@laurel/contract/ids'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import { type Program, programById } from '../earning/configuration.ts'
import type { Hold, MemberState } from '../ledger/books.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { awardAnswers, type WalletAnswer } from './answers.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { checkoutView } from './checkouts.ts'
import { type FurtherNeeds, type Slices, survivorOf } from './slices.ts'
import { needVouchers } from './vouchers.ts'

/** A checkout that is to be settled. It stays with the member who it was made for. */
export type Found = { member: MemberState; stored: Checkout; ours: Program }

/** Says that a checkout is to be read, with the member's books and what it may have locked: `programs` in one of these. */
export function needCheckout(
  slices: Slices,
  needs: FurtherNeeds,
  member: MemberState | undefined,
  checkout: Uuid,
  programs: readonly Pick<Program, 'slug'>[],
): void {
  if (!member) return
  needs.lots.add(member.member).add(survivorOf(slices, member.member))
  needs.checkouts.push({ member: member.member, id: checkout })
  for (const { slug } of programs)
    needVouchers(slices, needs, { program: slug, session: encodeId('chk', checkout), member })
}

/** Refusals: checkout_unknown. */
export function findCheckout(slices: Slices, member: MemberState | undefined, checkout: Uuid): Found | Refusal {
  const stored = slices.checkouts.get(checkout)
  if (!member || stored?.member !== member.member)
    return refusal('checkout_unknown', `there is no checkout "${encodeId('chk', checkout)}"`)
  const ours = programById(slices.configuration, stored.programId)
  if (!ours) throw new Error(`program ${stored.programId} is not in the configuration`)
  return { member, stored, ours }
}

/** The copy of its hold that this decision changes; where its deadline has passed it has lapsed in it. */
export function holdOf({ books }: Opened, stored: Checkout): Hold | undefined {
  return books.holds.find(({ id }) => id === stored.hold)
}

/** A checkout as it is answered, with what its purchase earned where it was committed. */
export function settledBody(
  { configuration }: Slices,
  { stored, ours }: Pick<Found, 'stored' | 'ours'>,
  { now }: Facts,
  wallets: WalletAnswer[],
  purchase?: Purchase,
): string {
  const earned = new Map<string, number>()
  for (const { wallet, points } of purchase ? awardAnswers(configuration, ours, purchase.awards) : [])
    earned.set(wallet, (earned.get(wallet) ?? 0) + points)
  return JSON.stringify({
    ...checkoutView(configuration, stored, now),
    ...(purchase ? { earned: [...earned].map(([wallet, points]) => ({ wallet, points })) } : {}),
    wallets,
  })
}
