import { type Changes, type Kept, returnsOf } from './decisions.ts'
import { applyLimits } from './limit-slices.ts'
import { applyUses } from './lot-slices.ts'
import { applyRedemptions } from './redemption-slices.ts'
import { addSent, type Slices } from './slices.ts'
import { applyTiers } from './tier-slices.ts'
import { applyVouchers } from './voucher-slices.ts'

/** What a decision changed, as the asks after it see it. */
export function apply(slices: Slices, changes: Changes): void {
  const { member, books } = changes
  slices.states.set(member, books.state)
  if (books.known) slices.lots.set(member, books.lots)
  for (const hold of books.changedHolds) slices.holds.set(hold.id, hold)
  if (changes.merges) slices.merges.set(changes.merges.id, changes.merges)
  applyUses(slices, member, books)
  for (const entry of books.entries) addSent(slices, member, entry)
  for (const { key, ...named } of changes.names) slices.names.set(key, named)
  if (changes.purchase) slices.purchases.set(changes.purchase.id, changes.purchase)
  for (const purchase of changes.returned ?? []) slices.purchases.set(purchase.id, purchase)
  if (changes.limits) applyLimits(slices.limits, changes.limits)
  if (changes.tiers) applyTiers(slices, changes.tiers)
  if (changes.vouchers) applyVouchers(slices.vouchers, changes.vouchers)
  if (changes.redemption) applyRedemptions(slices, changes.redemption)
  for (const one of returnsOf(changes)) slices.returns.set(one.id, one)
  if (changes.activity) slices.activities.set(changes.activity.id, changes.activity)
  if (changes.adjustment) slices.adjustments.set(changes.adjustment.adjustment.id, changes.adjustment.adjustment)
  for (const one of changes.checkouts ?? []) slices.checkouts.set(one.id, one)
  for (const card of changes.cards ?? []) slices.cards.set(card.id, card)
  if (changes.claims) slices.unclaimed.delete(changes.claims.change.key)
  for (const name of changes.names) {
    const entry = name.seq === null ? undefined : books.entries.find((e) => e.seq === name.seq)
    if (entry) slices.entries.set(`${member} ${entry.seq}`, entry)
  }
}

/** As apply, of what has no member. */
export function applyKept(slices: Slices, { change, vouchers, names }: Kept): void {
  if (vouchers) applyVouchers(slices.vouchers, vouchers)
  if (change?.after) slices.unclaimed.set(change.key, change.after)
  for (const { key, ...named } of names) slices.names.set(key, named)
}
