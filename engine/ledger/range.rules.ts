import { type Refusal, refusal } from '@laurel/contract/refusals'
import { ACCOUNTS, KINDS, type Kind } from './accounts.ts'
import { emptyWallet, type WalletState } from './wallets.rules.ts'

export const POINTS_MAX = Number.MAX_SAFE_INTEGER

/** Lifetime counters: a restore undoes part of a reversal, a refund part of a spend. */
export function count(wallet: WalletState, kind: Kind, points: number): void {
  const { counts } = KINDS[kind]
  if (counts) wallet[counts.counter] += counts.sign * points
}

/** Refuses when a balance or a counter would leave ±(2^53 − 1). */
export function outOfRange(wallet: WalletState, kind: Kind, points: number): Refusal | undefined {
  const { counts, to } = KINDS[kind]
  const balance = wallet.b + (to === ACCOUNTS.member ? points : -points)
  const counter = counts === undefined ? 0 : wallet[counts.counter] + counts.sign * points
  return Math.abs(balance) <= POINTS_MAX && Math.abs(counter) <= POINTS_MAX
    ? undefined
    : refusal('amount_out_of_range', `${points} more points would leave the range of exact whole numbers`)
}

/** A movement that is to be booked, in points; its kind says in which direction. */
export type Movement = { walletId: number; points: number; kind: Kind }

/** Booked one after another, the first that would leave the range refuses all of them. Nothing is changed. Refuses amount_out_of_range. */
export function firstOutOfRange(wallets: readonly WalletState[], movements: readonly Movement[]): Refusal | undefined {
  const after = new Map<number, WalletState>()
  for (const { walletId, points, kind } of movements) {
    const known = after.get(walletId) ?? wallets.find(({ w }) => w === walletId) ?? emptyWallet(walletId)
    const full = outOfRange(known, kind, points)
    if (full) return full
    const wallet = { ...known, b: known.b + (KINDS[kind].to === ACCOUNTS.member ? points : -points) }
    count(wallet, kind, points)
    after.set(walletId, wallet)
  }
  return undefined
}
