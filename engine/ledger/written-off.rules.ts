import type { Instant } from '@laurel/contract/instants'
import type { Draft, Lot, Why } from './books.ts'
import { bookTakes } from './ledger.rules.ts'
import type { Forgiven, WalletState } from './wallets.rules.ts'

/** The reason of the entries by which what was written off is made good. */
export const MADE_GOOD = 'written off before'
/** The reason of the entries by which what a return took of the wrong one is given back, and taken of the right one. */
export const SET_RIGHT = 'taken of another before'
/** Returns of which it is remembered, the latest: each purchase writes the wallet again, so it must not grow for ever. */
export const FORGIVEN_MAX = 50

/**
 * What comes back to a member, of a spend or a hold that was there when a return wrote points off for want of them, makes
 * that good first: by an entry of that return. So nobody keeps the points of what they gave back by having spent them or set them aside
 * meanwhile. `had`: whether they were gone already when that was written off; what is earned later is never taken. `at`: when it came
 * back, which may be booked later.
 */
export function makeGood(
  d: Draft,
  wallet: WalletState,
  lots: readonly Lot[],
  { at, now }: { at: Instant; now: Instant },
  had: (forgiven: Forgiven) => boolean,
): void {
  for (const lot of lots) {
    for (const forgiven of wallet.k.filter(had)) {
      const [source, written, ...rest] = forgiven
      const points = Math.min(written, lot.remaining - lot.held)
      if (points <= 0) break
      wallet.k = wallet.k.flatMap((one): Forgiven[] => {
        if (one !== forgiven) return [one]
        return points === written ? [] : [[source, written - points, ...rest]]
      })
      const why: Why = { kind: 'reverse', source, digest: source, occurredAt: at, now, reason: MADE_GOOD }
      bookTakes(d, wallet.w, [{ lot, points }], why)
    }
  }
}

/** So much is not written off any more: the latest first. */
export function forget(wallet: WalletState, points: number): void {
  let left = points
  wallet.k = wallet.k
    .toReversed()
    .map(([source, written, ...rest]): Forgiven => {
      const less = Math.min(left, written)
      left -= less
      return [source, written - less, ...rest]
    })
    .filter(([, written]) => written > 0)
    .toReversed()
}

/** What returns of one wrote off goes on with who it lives on as: what was gone by then comes back to that one. */
export function handOnWrittenOff(from: WalletState, to: WalletState): void {
  if (from.k.length === 0) return
  // 0: before any entry of the other's books, so that ids alone say what was gone by then
  const moved = from.k.map(([source, points, , ...rest]): Forgiven => [source, points, 0, ...rest])
  const when = ([source, , , then = source]: Forgiven) => then
  to.k = [...to.k, ...moved].sort((a, b) => (when(a) < when(b) ? -1 : 1)).slice(-FORGIVEN_MAX)
  from.k = []
}
