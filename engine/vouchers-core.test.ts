import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configurationWith, openMemory, T0 } from '../tests/memory.ts'
import { codeKey } from './base/codes.ts'
import { voucherRedemptionKey } from './gate/names.ts'
import { aVoucher } from './vouchers/vouchers-for-tests.ts'
import type { Voucher } from './vouchers/vouchers.rules.ts'

/**
 * Tills that do anything in any order, with the clock going on, against a model that only remembers who holds what: the real verbs, without a
 * database.
 */
const MINUTE = 60_000_000
const CODES = ['ONE', 'THREE', 'CARD'] as const
const TOTAL = { ONE: 1, THREE: 3, CARD: Infinity }
const BALANCE = 1000

type Code = (typeof CODES)[number]
type Model = {
  used: Record<Code, number>
  balance: number
  locks: { session: string; code: Code; until: number; amount: number }[]
  /** what each redemption still has of each code */
  redemptions: Map<string, { code: Code; left: number }[]>
}

const code = fc.constantFrom(...CODES)
const codes = fc.uniqueArray(code, { minLength: 1, maxLength: 3 })
const till = fc.constantFrom('s1', 's2', 's3')
const orderAmount = fc.integer({ min: 1, max: 600 })
const step = fc.oneof(
  fc.record({
    do: fc.constant('lock' as const),
    codes,
    till,
    amount: orderAmount,
    minutes: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ do: fc.constant('unlock' as const), till, codes: fc.option(codes) }),
  fc.record({ do: fc.constant('redeem' as const), codes, till: fc.option(till), amount: orderAmount }),
  fc.record({
    do: fc.constant('rollBack' as const),
    which: fc.nat(3),
    amount: fc.option(fc.integer({ min: 1, max: 300 })),
  }),
  fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 40 }) }),
)

function opened() {
  const memory = openMemory(configurationWith([]))
  const off = { value: { kind: 'amount' as const, amount: 10 }, category: 'always' as const }
  const made: [string, Voucher][] = [
    ['ONE', aVoucher('ONE', off, { usesTotal: 1 })],
    ['THREE', aVoucher('THREE', off, { usesTotal: 3 })],
    ['CARD', aVoucher('CARD', { value: { kind: 'gift', balance: BALANCE }, category: 'always' })],
  ]
  for (const [name, voucher] of made) {
    const key = codeKey(name)
    memory.slices.vouchers.vouchers.set(key, { ...voucher, key, programId: 1 })
  }
  return memory
}

/** What vouchers take of an order of so much, one after the other, gift cards last; undefined where one cannot be used. */
function expected(model: Model, asked: readonly Code[], session: string | null, amount: number, now: number) {
  let left = amount
  const taken: { code: Code; left: number }[] = []
  for (const one of [...asked.filter((c) => c !== 'CARD'), ...asked.filter((c) => c === 'CARD')]) {
    const others = model.locks.filter((l) => l.code === one && l.session !== session && l.until > now)
    const room = model.balance - others.reduce((sum, l) => sum + l.amount, 0)
    const takes = Math.min(left, one === 'CARD' ? room : 10)
    if (model.used[one] + others.length >= TOTAL[one] || takes <= 0) return undefined
    taken.push({ code: one, left: takes })
    left -= takes
  }
  return taken
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function play(memory: ReturnType<typeof opened>, model: Model, one: Step, now: number, n: number): void {
  const said = (asked: readonly string[], amount: number) => ({
    program: 'coffee',
    codes: asked,
    order: { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount }] },
    policy: 'all' as const,
    sequence: 'asked' as const,
  })
  if (one.do === 'lock') {
    const ask = {
      verb: 'lockVouchers' as const,
      ...said(one.codes, one.amount),
      session: one.till,
      minutes: one.minutes,
    }
    const taken = expected(model, one.codes, one.till, one.amount, now)
    expect(memory.decide(ask, now).status).toBe(taken ? 200 : 409)
    if (!taken) return
    const until = now + one.minutes * MINUTE
    model.locks = model.locks.filter((l) => l.session !== one.till)
    for (const { code: which, left } of taken) model.locks.push({ session: one.till, code: which, until, amount: left })
  } else if (one.do === 'unlock') {
    const ask = { verb: 'unlockVouchers' as const, program: 'coffee', session: one.till, codes: one.codes ?? undefined }
    const isMeant = (l: Model['locks'][number]) => l.session === one.till && (one.codes?.includes(l.code) ?? true)
    const unlocked = model.locks.filter((l) => isMeant(l) && l.until > now).map((l) => l.code)
    expect(memory.decide(ask, now).body.unlocked).toEqual(unlocked.toSorted())
    model.locks = model.locks.filter((l) => !isMeant(l))
  } else if (one.do === 'redeem') {
    const session = one.till ?? undefined
    const ask = { verb: 'redeemVouchers' as const, ...said(one.codes, one.amount), session, externalId: `r${n}` }
    const taken = expected(model, one.codes, one.till, one.amount, now)
    expect(memory.decide(ask, now).status).toBe(taken ? 201 : 409)
    expect(memory.decide(ask, now).status).toBe(taken ? 200 : 409)
    if (!taken) return
    model.locks = model.locks.filter((l) => l.session !== one.till)
    for (const { code: which, left } of taken) {
      model.used[which] += 1
      if (which === 'CARD') model.balance -= left
    }
    model.redemptions.set(`r${n}`, taken)
  } else if (one.do === 'rollBack') {
    const name = [...model.redemptions.keys()][one.which]
    if (name === undefined) return
    const parts = model.redemptions.get(name) ?? []
    let open = one.amount ?? parts.reduce((sum, p) => sum + p.left, 0)
    const isTooMuch = open > parts.reduce((sum, p) => sum + p.left, 0)
    const ask = {
      verb: 'rollBackVouchers' as const,
      redemption: voucherRedemptionKey(name),
      amount: one.amount ?? undefined,
    }
    expect(memory.decide(ask, now).status).toBe(isTooMuch ? 409 : 200)
    if (isTooMuch) return
    for (const part of parts.toReversed()) {
      const back = Math.min(open, part.left)
      if (back === 0) continue
      open -= back
      part.left -= back
      if (part.code === 'CARD') model.balance += back
      if (part.left === 0) model.used[part.code] -= 1
    }
  }
}

test('whatever tills do, uses, balances and locks are what a simple model says', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const memory = opened()
      const model: Model = { used: { ONE: 0, THREE: 0, CARD: 0 }, balance: BALANCE, locks: [], redemptions: new Map() }
      let now = T0
      for (const [n, one] of steps.entries()) {
        now += one.do === 'wait' ? one.minutes * MINUTE : 1000
        play(memory, model, one, now, n)
        for (const name of CODES) {
          const voucher = memory.slices.vouchers.vouchers.get(codeKey(name))
          expect(voucher?.used).toBe(model.used[name])
          if (name === 'CARD') expect(voucher?.balance).toBe(model.balance)
          const live = (memory.slices.vouchers.locks.get(codeKey(name)) ?? []).filter((l) => l.until > now)
          expect(live.map((l) => l.session).toSorted()).toEqual(
            model.locks
              .filter((l) => l.code === name && l.until > now)
              .map((l) => l.session)
              .toSorted(),
          )
          expect(model.used[name] + live.length).toBeLessThanOrEqual(TOTAL[name])
        }
      }
    }),
    { numRuns: 300 },
  )
})
