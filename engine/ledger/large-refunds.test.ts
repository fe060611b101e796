import { expect, test } from 'vitest'
import { newId } from '../base/ids.ts'
import type { Lot, LotUse, MemberState } from './books.ts'
import { draft } from './ledger.rules.ts'
import { refund } from './refunds.rules.ts'
import { emptyWallet } from './wallets.rules.ts'

test('a spend of thirty thousand lots is refunded without looking at all of them for each', () => {
  const lots = Array.from({ length: 30_000 }, (_, i): Lot => {
    const dates = { activatesAt: 1, expiresAt: null, slides: false, bookedAt: 1, occurredAt: 1 }
    return { seq: i + 1, walletId: 1, source: newId(), points: 1, remaining: 0, held: 0, ...dates, ruleVersionId: null }
  })
  const wallet = { ...emptyWallet(1), e: 30_000, s: 30_000 }
  const state = { member: newId(), version: 1, entrySeq: 30_001, chain: '', wallets: [wallet], told: 0, dueAt: 0 }
  const d = draft(state as unknown as MemberState, { lots, holds: [] }, () => ({ notice: 0 }) as never)
  const uses = lots.map(({ seq }): LotUse => ({ seq: 30_001, lotSeq: seq, points: 1 }))
  const why = { source: newId(), digest: newId(), occurredAt: 2, now: 2, reverses: 30_001 }
  const before = performance.now()
  refund(d, 1, uses, 20_000, () => undefined, why, { source: newId() })
  expect(performance.now() - before).toBeLessThan(1_000)
  expect(d.lots.reduce((sum, { remaining }) => sum + remaining, 0)).toBe(20_000)
})
