import { expect, test } from 'vitest'
import { growsWithRows, Reads } from '../../tests/reads.ts'
import { newId } from '../base/ids.ts'
import type { Lot, LotUse, MemberState } from './books.ts'
import { draft } from './ledger.rules.ts'
import { refund } from './refunds.rules.ts'
import { emptyWallet } from './wallets.rules.ts'

/** How often lots and uses of a spend that took from so many lots are read when two thirds of it are refunded. */
function readsToRefund(many: number): number {
  const lots = Array.from({ length: many }, (_, i): Lot => {
    const dates = { activatesAt: 1, expiresAt: null, slides: false, bookedAt: 1, occurredAt: 1 }
    return { seq: i + 1, walletId: 1, source: newId(), points: 1, remaining: 0, held: 0, ...dates, ruleVersionId: null }
  })
  const wallet = { ...emptyWallet(1), e: many, s: many }
  const state = { member: newId(), version: 1, entrySeq: many + 1, chain: '', wallets: [wallet], told: 0, dueAt: 0 }
  const d = draft(state as unknown as MemberState, { lots, holds: [] }, () => ({ notice: 0 }) as never)
  const reads = new Reads()
  d.lots = reads.of(d.lots)
  const uses = reads.of(lots.map(({ seq }): LotUse => ({ seq: many + 1, lotSeq: seq, points: 1 })))
  const why = { source: newId(), digest: newId(), occurredAt: 2, now: 2, reverses: many + 1 }
  const points = (many / 3) * 2
  reads.during(() => refund(d, 1, uses, points, () => undefined, why, { source: newId() }))
  const { times } = reads
  expect(d.lots.reduce((sum, { remaining }) => sum + remaining, 0)).toBe(points)
  return times
}

test('a spend of thousands of lots is refunded without looking at all of them for each', () => {
  growsWithRows(300, readsToRefund)
})
