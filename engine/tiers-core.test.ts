import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DAY } from '../contract/instants.ts'
import type { LadderTerms } from '../contract/tiers.ts'
import { openMemory, T0 } from '../tests/memory.ts'
import { aConfiguration, aProgram, aVersion } from './earning/rules-for-tests.ts'
import type { Ask } from './gate/asks.ts'
import { countsOfPurchase, difference } from './gate/tier-counts.ts'
import { coursesOf } from './gate/tier-courses.ts'
import { historyFault } from './tiers/history.rules.ts'
import { withChanges } from './tiers/levels.rules.ts'
import { readStanding } from './tiers/standings.rules.ts'
import { advance } from './tiers/tiers.rules.ts'

/**
 * Whatever is bought, comes back, is spent or assigned, early or late: through the decisions that every request goes
 * through.
 */
const TIERS: LadderTerms['tiers'] = [
  { slug: 'bronze', name: 'Bronze', threshold: 0 },
  { slug: 'silver', name: 'Silver', threshold: 60, benefits: { multiplier: '1.5' } },
  { slug: 'gold', name: 'Gold', threshold: 200, benefits: { multiplier: '2.25' } },
]

function configuration(terms: Partial<LadderTerms>) {
  const whole: LadderTerms = {
    name: 'Status',
    metric: { kind: 'earned', wallet: 'points' },
    window: { kind: 'calendar', per: 'quarter' },
    upgrade: 'at_once',
    downgrade: 'reassess',
    grace: null,
    noticeDays: null,
    tiers: TIERS,
    ...terms,
  }
  const ladder = {
    ladderId: 1,
    id: '019aa000-0000-7000-8000-2000000000aa',
    programId: 1,
    slug: 'status',
    version: 1,
    keeping: 1,
    firm: 1,
    terms: whole,
    createdAt: T0 - 400 * DAY,
  }
  const rules = [
    aVersion(1, 'per_amount', { points: 1, per: 100 }, { terms: { caps: [{ per: 'month', points: 500 }] } }),
    aVersion(2, 'per_item', { points: 7, skus: ['a'] }),
    aVersion(3, 'multiplier', { factor: 1.5 }),
  ]
  return aConfiguration(rules, { programs: [{ ...aProgram, joinPolicy: 'on_first_purchase' }], ladders: [ladder] })
}

const terms = fc.record<Partial<LadderTerms>>({
  metric: fc.constantFrom<LadderTerms['metric']>(
    { kind: 'earned', wallet: 'points' },
    { kind: 'spend' },
    { kind: 'purchases' },
    { kind: 'balance', wallet: 'points' },
    { kind: 'expression', expression: 'earned + purchases * 5 - spend / 500' },
  ),
  window: fc.constantFrom<LadderTerms['window']>(
    { kind: 'calendar', per: 'quarter' },
    { kind: 'calendar', per: 'month' },
    { kind: 'lifetime' },
    { kind: 'rolling', period: 'P30D' },
    { kind: 'join_anniversary' },
    { kind: 'tier_anniversary' },
  ),
  downgrade: fc.constantFrom('none', 'one_level', 'reassess'),
  grace: fc.constantFrom(null, { period: 'P3D' }),
  noticeDays: fc.constantFrom(null, 10),
})

const step = fc.record({
  what: fc.constantFrom('buy', 'buy', 'buy', 'return', 'spend', 'wait', 'assign', 'release', 'time'),
  days: fc.integer({ min: 0, max: 25 }),
  late: fc.constantFrom(0, 0, 0, 3, 20, 50),
  amount: fc.integer({ min: 0, max: 12_000 }),
  of: fc.nat(9),
  sku: fc.constantFrom('a', 'b'),
})

test('progress is what purchases count for, changes follow one another, and each is told once', () => {
  fc.assert(
    fc.property(terms, fc.array(step, { minLength: 1, maxLength: 25 }), (t, steps) => {
      const config = configuration(t)
      const memory = openMemory(config)
      let now = T0
      let bought = 0
      const told: string[] = []
      const send = (ask: Ask) => {
        const { answered, status } = memory.decide(ask, now)
        told.push(...(answered.changes?.events ?? []).map(({ type }) => type))
        return status
      }
      const common = { program: 'coffee', member: 'external:ann' }
      for (const [i, one] of steps.entries()) {
        now += one.days * DAY + 1_000_000
        if (one.what === 'buy') {
          const items = [{ sku: one.sku, quantity: 3, amount: one.amount }]
          const occurredAt = now - one.late * DAY
          bought += 1
          expect(
            send({ verb: 'purchase', ...common, externalId: `p${bought}`, occurredAt, currency: 'GBP', items }),
          ).toBe(201)
        } else if (one.what === 'return') {
          const items = [{ sku: undefined, line: '1', quantity: 1 + (one.of % 3) }]
          const purchase = `external:p${1 + (one.of % Math.max(1, bought))}`
          send({ verb: 'return', ...common, externalId: `r${i}`, occurredAt: now, purchase, items })
        } else if (one.what === 'spend') {
          send({ verb: 'spend', ...common, wallet: 'points', points: 1 + one.of * 10, reason: 'x' })
        } else if (one.what === 'assign') {
          const tier = one.sku === 'a' ? 'gold' : 'silver'
          send({ verb: 'assignTier', ...common, ladder: 'status', tier, until: now + 40 * DAY, reason: 'x' })
        } else if (one.what === 'release') send({ verb: 'releaseTier', ...common, ladder: 'status', reason: 'x' })
        else if (one.what === 'time') send({ verb: 'time', member: 'external:ann' })
      }
      if (bought > 0) send({ verb: 'adjust', ...common, wallet: 'points', points: 1, reason: 'brings all up to now' })
      const { tiers, purchases, states } = memory.slices
      const [state] = tiers.states.values()
      if (!state) return
      const course = coursesOf(config).get(1)
      if (!course) throw new Error('no course')
      const all = [...purchases.values()].flatMap((one) => countsOfPurchase(config, course, one))
      const progress = [...tiers.progress.values()].flat()
      expect(difference(progress, withChanges([], all))).toEqual([])
      const history = [...tiers.history.values()].flat()
      expect(history.map(({ seq }) => seq)).toEqual(history.map((_, i) => i + 1))
      for (const [i, change] of history.entries()) expect(change.from).toBe(history[i - 1]?.to ?? null)
      const moved = history.filter(({ from, to }) => from !== to) // what is done by hand is there also where nothing moves
      for (const [i, change] of moved.entries()) expect(change.at).toBeGreaterThanOrEqual(moved[i - 1]?.at ?? 0)
      expect(historyFault(state, history, [course])).toBeUndefined()
      expect(readStanding(JSON.stringify(state.standing))).toEqual(state.standing)
      expect(state.tier).toBe(history.at(-1)?.to)
      const moves = told.filter((type) => /^member.tier_(joined|left|upgraded|downgraded)$/.test(type))
      expect(moves).toHaveLength(moved.length)
      const [books] = states.values()
      if (state.dueAt > 0) expect(books?.dueAt).toBeLessThanOrEqual(state.dueAt)
      const wallet = books?.wallets.find(({ w }) => w === 1)
      const balance = wallet ? wallet.b - wallet.p - wallet.h : 0
      expect(advance(course, state, { now, balance, progress }).changes).toEqual([])
    }),
    { numRuns: 400 },
  )
})

test('what all came back counts nothing, whatever was spent of it meanwhile', () => {
  fc.assert(
    fc.property(terms, fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), (t, steps, spends) => {
      const memory = openMemory(configuration(t))
      const common = { program: 'coffee', member: 'external:ann' }
      let now = T0
      for (const [i, { amount, sku, days, late }] of steps.entries()) {
        now += days * DAY + 1_000_000
        const items = [{ sku, quantity: 3, amount }]
        const occurredAt = now - late * DAY
        memory.decide({ verb: 'purchase', ...common, externalId: `p${i}`, occurredAt, currency: 'GBP', items }, now)
        if (spends) memory.decide({ verb: 'spend', ...common, wallet: 'points', points: 5, reason: 'x' }, now)
      }
      for (const i of steps.keys()) {
        const said = { externalId: `r${i}`, occurredAt: now, purchase: `external:p${i}`, items: 'all' as const }
        expect(memory.decide({ verb: 'return', ...common, ...said }, now).status).toBe(201)
      }
      const [books] = memory.slices.states.values()
      if (!spends) expect(books?.wallets.every((w) => w.b === 0)).toBe(true)
      expect([...memory.slices.tiers.progress.values()].flat().filter(({ amount }) => amount !== 0)).toEqual([])
    }),
    { numRuns: 200 },
  )
})
