import type { Balances, Member, World } from './world.ts'

/** What a member has in a wallet, by its lots and movements. */
export function balances(w: World, member: Member, wallet: string): Balances {
  const now = { available: -(member.debts.get(wallet) ?? 0), pending: 0, held: 0 }
  for (const lot of member.lots) {
    if (lot.wallet !== wallet) continue
    now[lot.from <= w.now ? 'available' : 'pending'] += lot.left - lot.held
    now.held += lot.held
  }
  const ever = { earned: 0, spent: 0, reversed: 0, expired: 0, adjusted: 0, moved: 0 }
  for (const { what, wallet: where, points } of member.journal) if (where === wallet) ever[what] += points
  return {
    ...now,
    lifetimeEarned: ever.earned,
    lifetimeSpent: ever.spent,
    lifetimeReversed: ever.reversed,
    lifetimeExpired: ever.expired,
    lifetimeAdjusted: ever.adjusted,
    lifetimeMoved: ever.moved,
  }
}
