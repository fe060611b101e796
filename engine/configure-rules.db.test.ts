import { beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../tests/database.ts'
import { type Db, type Tx, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { createProgram } from './configure-programs.ts'
import { createRule, publishRuleVersion, type RuleAsk, type RuleTurn, turnRule } from './configure-rules.ts'
import { type Configuration, configurations, loadConfiguration, program, rulesAt } from './earning/configuration.ts'
import { getRule, listRules } from './earning/rules.ts'

const database = await openDatabase()
const NOW = 1_764_000_000_000_123
const door = (now = NOW) => ({ now, newId: () => newId() })
const change = <T>(work: (tx: Tx) => Promise<T>, space = database.space) => withTx(database.pool, space, work)
const read = <T>(work: (db: Db) => Promise<T>, space = database.space) => withRead(database.pool, space, work)

const rule = (differs: Partial<RuleAsk> = {}): RuleAsk => ({
  program: 'coffee',
  name: 'A point a pound',
  kind: 'per_amount',
  args: { points: 1, per: 100 },
  ...differs,
})
const make = (differs: Partial<RuleAsk> = {}) => change((tx) => createRule(tx, rule(differs), door()))
const turn = (id: string, how: RuleTurn) => change((tx) => turnRule(tx, id, how, door()))

function inForce(c: Configuration, name: string, at = NOW, asOf = c.configVersion): number[] {
  const ours = program(c, 'coffee')
  return rulesAt(c, ours?.programId ?? 0, asOf, at)
    .filter((r) => r.name === name)
    .map((r) => r.version)
}
const published = async () =>
  (await database.sql('select events from outbox where space_id = $1 order by batch', [database.space])).flatMap(
    (row) => JSON.parse(String(row.events)) as [string, null, null, unknown][],
  )

beforeAll(async () => {
  for (const space of [database.space, database.otherSpace]) {
    await change(
      (tx) =>
        createProgram(
          tx,
          { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'explicit' },
          door(),
        ),
      space,
    )
  }
})

describe('a new rule', () => {
  test('is in force at once, for purchases of any date, and is told', async () => {
    const made = await make({ name: 'at once' })
    const unsaid = {
      on: { event: 'purchase' },
      when: null,
      group: null,
      caps: [],
      cooldown: null,
      budget: null,
      pending: null,
      expiry: null,
    }
    expect(made).toEqual({
      ...unsaid,
      id: expect.stringMatching(/^rul_[0-9a-z]{26}$/),
      program: 'coffee',
      wallet: 'points',
      kind: 'per_amount',
      status: 'active',
      version: 1,
      name: 'at once',
      args: { points: 1, per: 100 },
      priority: 0,
      startsAt: null,
      endsAt: null,
      effectiveFrom: null,
      createdAt: '2025-11-24T16:00:00.000123Z',
      versions: [
        {
          ...unsaid,
          version: 1,
          name: 'at once',
          args: { points: 1, per: 100 },
          priority: 0,
          startsAt: null,
          endsAt: null,
          effectiveFrom: null,
          createdAt: '2025-11-24T16:00:00.000123Z',
        },
      ],
    })
    const c = await read(loadConfiguration)
    expect(inForce(c, 'at once', 0)).toEqual([1])
    expect(inForce(c, 'at once', NOW, c.configVersion - 1)).toEqual([])
    expect((await published()).at(-1)).toEqual(['rule.published', null, null, { rule: expect.any(String), version: 1 }])
  })

  test('keeps its window to the microsecond', async () => {
    await make({ name: 'window', startsAt: NOW + 1, endsAt: NOW + 3, priority: -4 })
    const c = await read(loadConfiguration)
    expect([0, 1, 2, 3].map((later) => inForce(c, 'window', NOW + later))).toEqual([[], [1], [1], []])
  })

  test('as a draft gives nothing and is not told before it is published', async () => {
    const told = (await published()).length
    const draft = await make({ name: 'draft', status: 'draft' })
    expect(draft.status).toBe('draft')
    expect(inForce(await read(loadConfiguration), 'draft')).toEqual([])
    await change((tx) => publishRuleVersion(tx, draft.id, { args: { points: 2, per: 100 } }, door()))
    expect(await published()).toHaveLength(told)
    expect((await turn(draft.id, 'publish')).status).toBe('active')
    expect(inForce(await read(loadConfiguration), 'draft', 0)).toEqual([2])
    expect((await published()).slice(told)).toMatchObject([['rule.published', null, null, { version: 2 }]])
  })

  test.each<[string, Partial<RuleAsk>, object]>([
    [
      'arguments of another kind',
      { args: { points: 1 } },
      { code: 'invalid_request', errors: [{ pointer: '/args/per' }] },
    ],
    ['an unknown kind', { kind: 'birthday' }, { code: 'invalid_request', errors: [{ pointer: '/kind' }] }],
    ['an empty window', { startsAt: NOW, endsAt: NOW }, { code: 'invalid_request', errors: [{ pointer: '/endsAt' }] }],
    ['a window beyond all measure', { endsAt: 2 ** 54 }, { code: 'invalid_request', errors: [{ pointer: '/endsAt' }] }],
    ['an unknown program', { program: 'tea' }, { code: 'program_unknown' }],
    ['an unknown wallet', { wallet: 'stamps' }, { code: 'wallet_unknown' }],
  ])('with %s is refused, and stores nothing', async (_, differs, refusal) => {
    const before = await read(loadConfiguration)
    await expect(make(differs)).rejects.toMatchObject({ refusal })
    expect(await read(loadConfiguration)).toEqual(before)
  })
})

describe('a new version', () => {
  test('is effective from now on, keeps what is not said, and leaves the old one to older purchases', async () => {
    const { id } = await make({ name: 'versions', priority: 3, endsAt: NOW + 1_000_000 })
    const second = await change((tx) =>
      publishRuleVersion(tx, id, { args: { points: 2, per: 100 }, endsAt: null }, door(NOW + 10)),
    )
    expect(second).toMatchObject({
      version: 2,
      args: { points: 2, per: 100 },
      priority: 3,
      endsAt: null,
      name: 'versions',
      effectiveFrom: '2025-11-24T16:00:00.000133Z',
      versions: [{ version: 2 }, { version: 1, args: { points: 1, per: 100 } }],
    })
    const c = await read(loadConfiguration)
    expect(inForce(c, 'versions', NOW + 9)).toEqual([1])
    expect(inForce(c, 'versions', NOW + 10)).toEqual([2])
    expect(inForce(c, 'versions', NOW + 10, c.configVersion - 1)).toEqual([1])
    expect((await published()).at(-1)).toMatchObject(['rule.published', null, null, { version: 2 }])
  })

  test('may be set for a date to come', async () => {
    const { id } = await make({ name: 'to come' })
    await change((tx) => publishRuleVersion(tx, id, { effectiveFrom: NOW + 500 }, door()))
    const c = await read(loadConfiguration)
    expect([inForce(c, 'to come', NOW + 499), inForce(c, 'to come', NOW + 500)]).toEqual([[1], [2]])
  })

  test('is numbered without gaps when twenty are published at the same time', async () => {
    const { id } = await make({ name: 'busy' })
    await Promise.all(
      Array.from({ length: 20 }, () => change((tx) => publishRuleVersion(tx, id, { priority: 1 }, door()))),
    )
    const { versions = [] } = await read((db) => getRule(db, id))
    expect(versions.map((v) => v.version)).toEqual(Array.from({ length: 21 }, (_, i) => 21 - i))
  })

  test.each<[string, Parameters<typeof publishRuleVersion>[2], string]>([
    ['arguments', { args: { points: -1, per: 100 } }, '/args/points'],
    ['a window that ends before it starts', { startsAt: NOW + 9, endsAt: NOW }, '/endsAt'],
  ])('with wrong %s is refused', async (_, ask, pointer) => {
    const { id } = await make()
    await expect(change((tx) => publishRuleVersion(tx, id, ask, door()))).rejects.toMatchObject({
      refusal: { code: 'invalid_request', errors: [{ pointer }] },
    })
  })
})

describe('turning a rule', () => {
  test('pause and resume hold from the next configuration, twice is once', async () => {
    const { id } = await make({ name: 'turns' })
    for (const [how, status, versions] of [
      ['pause', 'paused', []],
      ['resume', 'active', [1]],
      ['archive', 'archived', []],
    ] as const) {
      for (let i = 0; i < 2; i++) expect(await turn(id, how)).toMatchObject({ id, status })
      expect(inForce(await read(loadConfiguration), 'turns')).toEqual(versions)
    }
    const states =
      await database.sql(`select status from earning_rule_states s join earning_rule_versions v using (rule_id)
      where v.name = 'turns' order by config_version`)
    expect(states.map((s) => s.status)).toEqual(['active', 'paused', 'active', 'archived'])
  })

  test.each<[RuleTurn[], RuleTurn]>([
    [['archive'], 'resume'],
    [['archive'], 'publish'],
    [['archive'], 'pause'],
    [['pause'], 'publish'],
  ])('after %j it cannot %s', async (turns, last) => {
    const { id } = await make()
    for (const how of turns) await turn(id, how)
    await expect(turn(id, last)).rejects.toMatchObject({ refusal: { code: 'rule_state' } })
  })

  test('a draft can be neither paused nor resumed, an archived rule has no new versions', async () => {
    const draft = await make({ status: 'draft' })
    await expect(turn(draft.id, 'pause')).rejects.toMatchObject({ refusal: { code: 'rule_state' } })
    await expect(turn(draft.id, 'resume')).rejects.toMatchObject({ refusal: { code: 'rule_state' } })
    await turn(draft.id, 'archive')
    await expect(change((tx) => publishRuleVersion(tx, draft.id, {}, door()))).rejects.toMatchObject({
      refusal: { code: 'rule_state' },
    })
  })
})

test('rules of another space do not exist here', async () => {
  const theirs = await change((tx) => createRule(tx, rule(), door()), database.otherSpace)
  await expect(read((db) => getRule(db, theirs.id))).rejects.toMatchObject({ refusal: { code: 'rule_unknown' } })
  await expect(turn(theirs.id, 'pause')).rejects.toMatchObject({ refusal: { code: 'rule_unknown' } })
  await expect(change((tx) => publishRuleVersion(tx, theirs.id, {}, door()))).rejects.toMatchObject({
    refusal: { code: 'rule_unknown' },
  })
  await expect(read((db) => listRules(db, { limit: 5, after: theirs.id }))).rejects.toMatchObject({
    refusal: { code: 'invalid_cursor' },
  })
  const there = await read(loadConfiguration, database.otherSpace)
  expect([there.programs.length, there.versions.length]).toEqual([1, 1])
})

test('rules are listed oldest first, page by page, each once, of one program where one is named', async () => {
  await change((tx) =>
    createProgram(tx, { slug: 'tiny', name: 'Tiny', timezone: 'UTC', currency: 'JPY', joinPolicy: 'explicit' }, door()),
  )
  const only = await make({ program: 'tiny', name: 'only' })
  const all = await read((db) => listRules(db, { limit: 100 }))
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = await read((db) => listRules(db, { limit: 3, after }))
    ids.push(...page.data.map((r) => r.id))
    after = page.next ?? undefined
  } while (after !== undefined)
  expect(ids).toEqual(all.data.map((r) => r.id))
  expect(new Set(ids).size).toBe(ids.length)
  expect((await read((db) => listRules(db, { limit: 100, program: 'tiny' }))).data.map((r) => r.id)).toEqual([only.id])
  expect((await read((db) => listRules(db, { limit: 100, program: 'coffee' }))).data).toHaveLength(ids.length - 1)
  await expect(read((db) => listRules(db, { limit: 5, program: 'none' }))).rejects.toMatchObject({
    refusal: { code: 'program_unknown' },
  })
})

test('the configuration is loaded by one statement, and held until its version changes', async () => {
  let statements = 0
  const counting = (db: Db): Db =>
    ({
      ...db,
      query: (...args: Parameters<Db['query']>) => {
        statements++
        return db.query(...args)
      },
    }) as Db
  const held = configurations()
  const { configVersion } = await read(loadConfiguration)
  const first = await read((db) => held.get(counting(db), configVersion))
  expect(await read((db) => held.get(counting(db), configVersion))).toBe(first)
  expect(statements).toBe(1)
  await make({ name: 'newer' })
  const newer = await read((db) => held.get(counting(db), configVersion + 1))
  expect([newer.configVersion, statements]).toEqual([configVersion + 1, 2])
  expect(newer.versions).toHaveLength(first.versions.length + 1)
  // Asked for one that has been overtaken since: it gets the later one, and knows it by its number.
  expect((await read((db) => configurations().get(db, configVersion))).configVersion).toBe(configVersion + 1)
  await expect(read((db) => held.get(db, configVersion + 9))).rejects.toThrow('was at')
})
