import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { type Adjustment, decidable, decided, mustWait, STATUS, type Status, type Way } from './adjustments.rules.ts'

const ALICE = '019aa000-0000-7000-8000-00000000000a'
const BOB = '019aa000-0000-7000-8000-00000000000b'
const waiting: Adjustment = {
  id: '019aa000-0000-7000-8000-000000000001',
  member: '019aa000-0000-7000-8000-000000000002',
  walletId: 1,
  points: 5000,
  reason: 'sorry',
  code: null,
  status: STATUS.waiting,
  requestedAt: 1,
  requestedBy: ALICE,
  decidedAt: null,
  decidedBy: null,
  decision: null,
  entry: null,
}
const codeOf = (how: ReturnType<typeof decidable>) => (typeof how === 'string' ? how : how.code)

test('what is above the limit waits, whether it adds or takes', () => {
  expect([100, -100, 1].map((points) => mustWait(points, 100))).toEqual([false, false, false])
  expect([101, -101].map((points) => mustWait(points, 100))).toEqual([true, true])
  expect(mustWait(Number.MAX_SAFE_INTEGER, null)).toBe(false)
})

describe('what waits', () => {
  test.each<[Way, string | null, string]>([
    ['approve', BOB, 'now'],
    ['approve', ALICE, 'same_key'],
    ['approve', null, 'same_key'],
    ['reject', BOB, 'now'],
    ['reject', ALICE, 'now'],
  ])('to %s by %s: %s', (way, by, expected) => expect(codeOf(decidable(waiting, way, by))).toBe(expected))

  test('nobody known asked for it: nobody can be told from them', () => {
    expect(codeOf(decidable({ ...waiting, requestedBy: null }, 'approve', BOB))).toBe('same_key')
  })
})

test.each<[Status, Way, string]>([
  [STATUS.booked, 'approve', 'adjustment_decided'],
  [STATUS.booked, 'reject', 'adjustment_decided'],
  [STATUS.approved, 'approve', 'again'],
  [STATUS.approved, 'reject', 'adjustment_decided'],
  [STATUS.rejected, 'reject', 'again'],
  [STATUS.rejected, 'approve', 'adjustment_decided'],
])('what has status %d, to %s: %s', (status, way, expected) => {
  for (const by of [ALICE, BOB, null]) expect(codeOf(decidable({ ...waiting, status }, way, by))).toBe(expected)
})

test('however often and by whomever it is decided: it is decided once, never approved by who asked', () => {
  const step = fc.record({ way: fc.constantFrom<Way>('approve', 'reject'), by: fc.constantFrom(ALICE, BOB) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      let now = waiting
      let times = 0
      for (const [at, { way, by }] of steps.entries()) {
        if (decidable(now, way, by) !== 'now') continue
        times++
        now = decided(now, way, { key: by, reason: 'so', at, entry: null })
      }
      expect(times).toBeLessThanOrEqual(1)
      if (now.status === STATUS.approved) expect(now.decidedBy).toBe(BOB)
    }),
  )
})
