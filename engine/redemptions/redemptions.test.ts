import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advance, expire, isOver, type Redemption, STATUS, statusNow, type Way } from './redemptions.rules.ts'

const NOW = 1_800_000_000_000_000
const redemption = (more: Partial<Redemption> = {}): Redemption => ({
  member: '00000000-0000-7000-8000-000000000001',
  id: '00000000-0000-7000-8000-000000000002',
  programId: 1,
  rewardId: 1,
  version: 1,
  status: STATUS.issued,
  digest: '00000000-0000-7000-8000-000000000003',
  issuedAt: NOW,
  validFrom: NOW,
  validUntil: null,
  uses: 1,
  used: 0,
  code: null,
  poolId: null,
  externalId: null,
  said: { name: 'Coffee', price: 0 },
  delivery: null,
  spent: [],
  received: null,
  history: [{ s: STATUS.issued, at: NOW }],
  ...more,
})
const is = (value: object): value is Redemption => 'history' in value
const ways: Way[] = ['cancel', 'order', 'ship', 'deliver', 'use']

describe('any steps in any order', () => {
  const life = fc.record({
    sent: fc.boolean(),
    uses: fc.integer({ min: 1, max: 4 }),
    until: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null }),
    steps: fc.array(fc.constantFrom(...ways), { maxLength: 20 }),
  })

  test('end once, are told once, and never go back', () => {
    fc.assert(
      fc.property(life, ({ sent, uses, until, steps }) => {
        let one = redemption({
          uses: sent ? 1 : uses,
          validUntil: until === null ? null : NOW + until,
          said: { name: 'x', price: 0, ...(sent ? { fulfilment: true } : {}) },
        })
        const seen: number[] = [one.status]
        for (const [i, way] of steps.entries()) {
          const at = NOW + i + 1
          const next = advance(one, way, { at })
          if (!is(next)) {
            expect(next.code).toBe('redemption_not_open')
            continue
          }
          if (next !== one && next.status !== one.status) seen.push(next.status)
          expect(next.used - one.used).toBe(way === 'use' ? 1 : 0)
          if (next !== one) expect(statusNow(one, at)).not.toBe(STATUS.expired)
          one = next
        }
        expect(new Set(seen).size).toBe(seen.length)
        const order = sent ? [1, 2, 3, 4, 7] : [1, 5, 7]
        expect(seen).toEqual(seen.filter((s) => order.includes(s)).toSorted((a, b) => a - b))
        expect(one.history.map(({ s }) => s)).toEqual(seen)
        expect(one.used).toBeLessThanOrEqual(one.uses)
        if (!sent) expect(one.status === STATUS.used).toBe(one.used === one.uses)
        if (one.status === STATUS.cancelled) expect(one.used).toBe(0)
      }),
    )
  })

  test('the same step again is the same, but a use is another use', () => {
    for (const way of ['cancel', 'order'] as const) {
      const first = advance(redemption({ said: { name: 'x', price: 0, fulfilment: true } }), way, {
        at: NOW,
      }) as Redemption
      expect(advance(first, way, { at: NOW + 1 })).toBe(first)
    }
    const twice = advance(redemption({ uses: 2 }), 'use', { at: NOW }) as Redemption
    expect(advance(twice, 'use', { at: NOW })).toMatchObject({ used: 2, status: STATUS.used })
  })
})

describe('time', () => {
  test('is half-open: at its end it is over, at its beginning it can be used', () => {
    const one = redemption({ validFrom: NOW + 10, validUntil: NOW + 20 })
    expect(advance(one, 'use', { at: NOW + 9 })).toMatchObject({ code: 'redemption_not_open' })
    expect(advance(one, 'use', { at: NOW + 10 })).toMatchObject({ status: STATUS.used })
    expect(advance(one, 'use', { at: NOW + 19 })).toMatchObject({ status: STATUS.used })
    expect(advance(one, 'use', { at: NOW + 20 })).toMatchObject({ code: 'redemption_not_open' })
    expect([isOver(one, NOW + 19), isOver(one, NOW + 20)]).toEqual([false, true])
    expect(expire(one)).toMatchObject({ status: STATUS.expired, history: [{}, { at: NOW + 20 }] })
  })

  test('does not keep who has it at once from using it where the clock is a little behind', () => {
    const one = redemption({ issuedAt: NOW, validFrom: NOW })
    expect(advance(one, 'use', { at: NOW - 5_000 })).toMatchObject({ status: STATUS.used })
    expect(advance({ ...one, validFrom: NOW + 1 }, 'use', { at: NOW })).toMatchObject({ code: 'redemption_not_open' })
  })

  test('ends only what was issued: what is on its way does not expire', () => {
    const one = redemption({ validUntil: NOW + 20, said: { name: 'x', price: 0, fulfilment: true } })
    const ordered = advance(one, 'order', { at: NOW }) as Redemption
    expect(statusNow(ordered, NOW + 100)).toBe(STATUS.ordered)
    expect(advance(ordered, 'ship', { at: NOW + 100 })).toMatchObject({ status: STATUS.shipped })
  })
})
