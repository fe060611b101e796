import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Draft, Lot } from './books.ts'
import { credit, debit } from './ledger.rules.ts'
import { firstOutOfRange, type Movement, POINTS_MAX } from './range.rules.ts'
import { emptyWallet, type WalletState } from './wallets.rules.ts'

const WALLETS = [1, 2]
const why = { source: 'src', digest: 'dig', occurredAt: 1, now: 1 }
const edge = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 1, max: 3 }).map((n) => POINTS_MAX - n),
)

/** Books of lots that can all be spent: what is there does not refuse, only what would leave the range. */
function booksOf(wallets: readonly WalletState[]): Draft {
  const lots = wallets.flatMap(({ w, b }, i): Lot[] => {
    const lot = { walletId: w, source: 'src', points: b, remaining: b, held: 0, activatesAt: 0, expiresAt: null }
    return b > 0
      ? [{ ...lot, seq: i + 1, slides: false, bookedAt: 0, occurredAt: 0, ruleVersionId: null } as unknown as Lot]
      : []
  })
  const state = { member: 'mem', version: 0, entrySeq: 9, chain: '', told: 0, dueAt: 0, wallets: [...wallets] }
  const own = { known: true, lots, holds: [], entries: [], uses: [], changedHolds: [], late: false }
  return { state, terms: () => ({ notice: 0 }), ...own } as unknown as Draft
}

function booked(wallets: readonly WalletState[], movements: readonly Movement[]) {
  const books = booksOf(wallets.map((wallet) => ({ ...wallet })))
  for (const { walletId, points, kind } of movements) {
    const refused = (kind === 'convertIn' ? credit : debit)(books, walletId, points, { ...why, kind })
    if (refused) return refused
  }
  return undefined
}

const wallet = fc
  .record({
    w: fc.constantFrom(...WALLETS),
    b: edge,
    s: edge,
    m: fc.oneof(
      edge,
      edge.map((n) => -n),
    ),
  })
  .map((some): WalletState => ({ ...emptyWallet(some.w), ...some }))
const movement = fc.record({
  walletId: fc.constantFrom(...WALLETS),
  points: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(POINTS_MAX)),
  kind: fc.constantFrom('spend' as const, 'convertOut' as const, 'convertIn' as const),
})

test('what would leave the range is told before it is booked, as booking tells it', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      fc.uniqueArray(wallet, { maxLength: 2, selector: ({ w }) => w }),
      fc.array(movement, { minLength: 1, maxLength: 4 }),
      (wallets, movements) => {
        const before = structuredClone(wallets)
        const told = booked(wallets, movements)
        seen.add(told?.code ?? 'booked')
        if (told?.code !== 'insufficient_points') expect(firstOutOfRange(wallets, movements)).toEqual(told)
        expect(wallets).toEqual(before)
      },
    ),
    { numRuns: 2_000 },
  )
  expect([...seen].sort()).toEqual(['amount_out_of_range', 'booked', 'insufficient_points'])
})
