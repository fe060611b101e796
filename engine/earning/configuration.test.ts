import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeId } from '@laurel/contract/ids'
import {
  type Configuration,
  configurationOf,
  program,
  rulesAt,
  type RuleState,
  type RuleVersion,
} from './configuration.ts'
import { award } from './earning.rules.ts'
import { defineKind } from './kinds/kind.ts'
import { fixedArgs } from '@laurel/contract/earning-rules'
import { aConfiguration, aProgram, aQuestion, aVersion } from './rules-for-tests.ts'

const AT = 1_750_000_000_000_000
const versionsAt = (c: Configuration, asOf: number, at: number) => rulesAt(c, 1, asOf, at).map((r) => r.ruleVersionId)

describe('a version is in force', () => {
  test("over [effectiveFrom, the next one's), to the microsecond", () => {
    const c = aConfiguration(
      [
        aVersion(1, 'fixed', { points: 1 }),
        aVersion(1, 'fixed', { points: 2 }, { version: 2, effectiveFrom: AT, publishedIn: 2 }),
      ],
      { configVersion: 2 },
    )
    expect(versionsAt(c, 2, 0)).toEqual([1001])
    expect(versionsAt(c, 2, AT - 1)).toEqual([1001])
    expect(versionsAt(c, 2, AT)).toEqual([1002])
    expect(versionsAt(c, 2, AT + 1)).toEqual([1002])
  })

  test('over [startsAt, endsAt), to the microsecond', () => {
    const c = aConfiguration([aVersion(1, 'fixed', { points: 1 }, { startsAt: AT, endsAt: AT + 2 })])
    expect([AT - 1, AT, AT + 1, AT + 2].map((at) => versionsAt(c, 1, at))).toEqual([[], [1001], [1001], []])
  })

  test('for a purchase that froze an older configuration: as that one was', () => {
    const c = aConfiguration(
      [
        aVersion(1, 'fixed', { points: 1 }),
        aVersion(1, 'fixed', { points: 2 }, { version: 2, effectiveFrom: 0, publishedIn: 5 }),
        aVersion(2, 'fixed', { points: 9 }, { publishedIn: 7 }),
      ],
      {
        configVersion: 9,
        states: [
          { ruleId: 1, configVersion: 1, status: 'active' },
          { ruleId: 1, configVersion: 8, status: 'paused' },
          { ruleId: 2, configVersion: 7, status: 'active' },
        ],
      },
    )
    expect([1, 4, 5, 6, 7, 8, 9].map((asOf) => versionsAt(c, asOf, AT))).toEqual([
      [1001],
      [1001],
      [1002],
      [1002],
      [1002, 2001],
      [2001],
      [2001],
    ])
  })

  test('a version that begins no later than the one before replaces it whole', () => {
    const c = aConfiguration([
      aVersion(1, 'fixed', { points: 1 }),
      aVersion(1, 'fixed', { points: 2 }, { version: 2, effectiveFrom: AT }),
      aVersion(1, 'fixed', { points: 3 }, { version: 3, effectiveFrom: AT - 10 }),
    ])
    expect([AT - 11, AT - 10, AT].map((at) => versionsAt(c, 1, at))).toEqual([[1001], [1003], [1003]])
  })

  test.each(['draft', 'paused', 'archived'] as const)('never while the rule is %s', (status) => {
    const c = aConfiguration([aVersion(1, 'fixed', { points: 1 })], {
      states: [{ ruleId: 1, configVersion: 1, status }],
    })
    expect(versionsAt(c, 1, AT)).toEqual([])
  })
})

describe('for any history of any rules', () => {
  const instant = fc.integer({ min: 0, max: 12 })
  const bound = fc.option(instant, { nil: null })
  const rule = fc.record({
    versions: fc.array(
      fc.record({
        effectiveFrom: bound,
        startsAt: bound,
        endsAt: bound,
        publishedIn: fc.integer({ min: 1, max: 6 }),
        priority: fc.integer({ min: 0, max: 1 }),
        kind: fc.constantFrom('fixed', 'multiplier'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    states: fc.uniqueArray(
      fc.record({
        configVersion: fc.integer({ min: 1, max: 6 }),
        status: fc.constantFrom<RuleState['status']>('draft', 'active', 'active', 'paused', 'archived'),
      }),
      { selector: (s) => s.configVersion, minLength: 1, maxLength: 4 },
    ),
  })
  const history = fc.array(rule, { maxLength: 4 }).map((rules) => {
    const versions: RuleVersion[] = []
    const states: RuleState[] = []
    for (const [i, { versions: said, states: turns }] of rules.entries()) {
      const published = said.map((v) => v.publishedIn).sort((a, b) => a - b)
      for (const [n, v] of said.entries()) {
        const args = v.kind === 'fixed' ? { points: 1 } : { factor: 2 }
        versions.push(aVersion(i + 1, v.kind, args, { ...v, version: n + 1, publishedIn: published[n] as number }))
      }
      for (const turn of turns) states.push({ ruleId: i + 1, ...turn })
    }
    return { versions, states }
  })

  /** The definition, read from the rows one by one. */
  function oracle(
    { versions, states }: { versions: RuleVersion[]; states: RuleState[] },
    asOf: number,
    at: number,
  ): number[] {
    const found: RuleVersion[] = []
    for (const ruleId of new Set(versions.map((v) => v.ruleId))) {
      const turns = states.filter((s) => s.ruleId === ruleId && s.configVersion <= asOf)
      const last = turns.reduce<RuleState | undefined>(
        (a, b) => (a && a.configVersion > b.configVersion ? a : b),
        undefined,
      )
      if (last?.status !== 'active') continue
      const known = versions.filter((v) => v.ruleId === ruleId && v.publishedIn <= asOf && (v.effectiveFrom ?? 0) <= at)
      const newest = known.reduce<RuleVersion | undefined>((a, b) => (a && a.version > b.version ? a : b), undefined)
      if (newest && (newest.startsAt ?? 0) <= at && at < (newest.endsAt ?? Number.POSITIVE_INFINITY)) found.push(newest)
    }
    const rank = (v: RuleVersion) => (v.kind === 'multiplier' ? 1e6 : 0) + v.priority * 1e3 + v.ruleId
    return found.sort((a, b) => rank(a) - rank(b)).map((v) => v.ruleVersionId)
  }

  test('the rules in force are those of the definition, in whatever order they are asked for', () => {
    const questions = fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), instant), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(history, questions, (rows, asked) => {
        const c = aConfiguration(rows.versions, { configVersion: 7, states: rows.states })
        for (const [asOf, at] of asked) expect(versionsAt(c, asOf, at)).toEqual(oracle(rows, asOf, at))
      }),
      { numRuns: 300 },
    )
  })

  test("the rows' own order does not matter", () => {
    fc.assert(
      fc.property(history, instant, (rows, at) => {
        const c = aConfiguration([...rows.versions].reverse(), { configVersion: 7, states: [...rows.states].reverse() })
        expect(versionsAt(c, 7, at)).toEqual(oracle(rows, 7, at))
      }),
    )
  })
})

test('the same question has the same answer, the very same: hot paths pay for it once', () => {
  const c = aConfiguration([aVersion(1, 'fixed', { points: 1 }, { endsAt: AT }), aVersion(2, 'fixed', { points: 1 })])
  expect(rulesAt(c, 1, 1, AT)).toBe(rulesAt(c, 1, 1, AT + 5))
  expect(rulesAt(c, 1, 1, AT - 9)).toBe(rulesAt(c, 1, 1, AT - 1))
  expect(rulesAt(c, 1, 1, AT - 1)).not.toBe(rulesAt(c, 1, 1, AT))
})

test('a program is found by its slug and its id, by nothing else', () => {
  const c = aConfiguration([])
  expect(program(c, 'coffee')).toBe(aProgram)
  expect(program(c, encodeId('prg', aProgram.id))).toBe(aProgram)
  for (const ref of [aProgram.id, 'Coffee', '', 'prg_', encodeId('mem', aProgram.id)])
    expect(program(c, ref)).toBeUndefined()
})

test('a kind that this process does not know is a fault, not a rule less', () => {
  expect(() => rulesAt(aConfiguration([aVersion(1, 'birthday', {})]), 1, 1, AT)).toThrow('unknown kind: birthday')
})

test('a test may bring a kind of its own', () => {
  const odd = defineKind({
    code: 'odd',
    title: 'Odd',
    description: 'A point for an odd total',
    fields: { points: { label: '', help: '' } },
    args: fixedArgs,
    award:
      ({ points }) =>
      ({ lines }) =>
        lines.reduce((sum, { amount }) => sum + amount, 0) % 2 ? { points, why: 'odd' } : 'rounds_to_zero',
  })
  const c = configurationOf(
    {
      space: 1,
      configVersion: 1,
      programs: [aProgram],
      versions: [aVersion(1, 'odd', { points: 4 })],
      states: [{ ruleId: 1, configVersion: 1, status: 'active' }],
      activeTimes: [],
      activityTypes: [],
      ladders: [],
      rewards: [],
      pools: [],
    },
    [odd],
  )
  expect(award(rulesAt(c, 1, 1, AT), aQuestion([{ line: '1', sku: 'A', quantity: 1, amount: 3 }]))).toMatchObject([
    { points: 4, why: 'odd' },
  ])
})
