import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Ask, OpenAsk, Outcome } from '@laurel/engine/gate/asks'
import { Fixable } from '../fault.ts'
import { BALANCES_COUNTED, type BalancesOptions, importBalances } from './balances.ts'
import { SILENT } from './import-for-tests.ts'
import { importMembersFile } from './members.ts'
import { membersPlan } from './members-plan.ts'
import type { Fault } from './plan.ts'
import { tableJson, tableText } from './table-tally.ts'

/** Files in which every row stands for itself, with a stand-in for the engine. */
const folder = mkdtempSync(join(tmpdir(), 'laurel-table-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'balances.csv')

const HEADER = 'externalId,member,points,earnedAt'
const row = (id: number | string, points: number | string = 5) => `${id},ada,${points},2025-01-01T00:00:00Z`
const stored = (status = 201): Outcome => ({ status, body: '{}', replayed: false })
const no = (status: number, code: string): Outcome => ({
  status,
  body: JSON.stringify({ code, detail: `${code}!` }),
  replayed: false,
})

async function run(rows: string[], submit: BalancesOptions['submit'], more: Partial<BalancesOptions> = {}) {
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`)
  const faults: (Fault & { name: string })[] = []
  const refused = {
    add: (name: string, some: readonly Fault[]) => void faults.push(...some.map((fault) => ({ ...fault, name }))),
    close: async () => undefined,
  }
  const options = { path, map: undefined, program: 'coffee', submit, refused, progress: SILENT, ...more }
  return { tally: await importBalances(options), faults }
}

const named = (ask: Ask) => (ask as OpenAsk).externalId

describe('balances whose server', () => {
  test('is overloaded for a while are asked for again', async () => {
    let asked = 0
    const { tally } = await run([row(1), row(2)], async () => (++asked < 4 ? no(503, 'overloaded') : stored()))
    expect(Object.fromEntries(tally.counts)).toEqual({ opened: 2, points: 10 })
  })

  test('has gone stop, say near which line, and that the command can be run again', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => row(i))
    const { tally } = await run(rows, async (ask) => (Number(named(ask)) < 10 ? stored() : no(503, 'unavailable')), {
      underWayMax: 4,
      patienceMs: 150,
    })
    expect(tally.counts.get('opened')).toBe(10)
    expect(tableText(tally, BALANCES_COUNTED, { dryRun: false })).toMatch(
      /Stopped near line 1\d: unavailable!\. Run the same/,
    )
  })

  test('meets a fault are asked for once more; if it stays, that row is listed and the others go in', async () => {
    const { tally, faults } = await run([row(1), row(2), row(3)], async (ask) => {
      if (named(ask) === '2') throw new Error('a bug')
      return stored()
    })
    expect([tally.faults, tally.counts.get('opened')]).toEqual([1, 2])
    expect(faults).toEqual([{ line: 3, code: 'fault', reason: 'a bug', name: '2' }])
  })

  test('has them already say that nothing changed', async () => {
    const { tally } = await run([row(1), row(2, 7)], async () => stored(200))
    expect(tableText(tally, BALANCES_COUNTED, { dryRun: false })).toContain(
      'Nothing changed: everything was there already.',
    )
    expect(JSON.parse(tableJson(tally, BALANCES_COUNTED, { mode: 'live' }))).toMatchObject({
      mode: 'live',
      changed: false,
      rows: 2,
      opened: 0,
      alreadyThere: 2,
      pointsAlreadyThere: 12,
      refused: {},
    })
  })
})

describe('a file', () => {
  test.each([
    ['1e3', 'points_invalid'],
    ['0', 'points_invalid'],
    ['-1', 'points_invalid'],
    ['1.5', 'points_invalid'],
    ['9007199254740992', 'points_invalid'],
  ])('with %s points has that row refused', async (points, code) => {
    const { tally, faults } = await run([row(1, points), row(2, 9007199254740991)], async () => stored())
    expect([faults.map((fault) => fault.code), tally.taken]).toEqual([[code], 1])
  })

  test('that is broken in its last row stores nothing', async () => {
    const asked: string[] = []
    const broken = run([row(1), row(2), '3,"ada'], async (ask) => {
      asked.push(named(ask))
      return stored()
    })
    await expect(broken).rejects.toThrow(/the file ends inside a quoted cell/)
    expect(asked).toEqual([])
  })

  test('that changes while it is read says so', async () => {
    const changed = run([row(1), row(2)], async () => {
      appendFileSync(path, `${row(3)}\n`)
      return stored()
    })
    await expect(changed).rejects.toThrow(/was changed while it was being read/)
  })

  test('that lacks a column, or is empty, is not begun', async () => {
    writeFileSync(path, '')
    await expect(run([], undefined).then(() => importEmpty())).rejects.toThrow(Fixable)
    expect(() => membersPlan({ externalId: { column: 'id' }, email: 'mail' }, ['id', 'name'], 0)).toThrow(
      /column "mail"/,
    )
  })

  async function importEmpty() {
    const empty = join(folder, 'empty.csv')
    writeFileSync(empty, '')
    const refused = { add() {}, close: async () => undefined }
    const map = { externalId: { column: 'id' } }
    await importMembersFile({ path: empty, map, into: undefined, update: false, refused, progress: SILENT })
  }
})

describe('a row of a member', () => {
  const map = {
    externalId: { column: 'id' },
    name: ['first', 'last'],
    birthDate: { column: 'born', format: 'd.M.yyyy' },
    attributes: { n: { column: 'n', as: 'number' as const }, yes: { column: 'yes', as: 'boolean' as const } },
    numbers: { decimal: ',' as const },
  }
  const read = membersPlan(map, ['id', 'first', 'last', 'born', 'n', 'yes'], Date.UTC(2026, 0, 1) * 1000)

  test('says what its cells say, and nothing where they are empty', () => {
    expect(read(['1', 'Ada', '', '1.2.1990', '2,5', 'Y'])).toMatchObject({
      kind: 'item',
      key: '1',
      item: { body: { externalId: '1', name: 'Ada', birthDate: '1990-02-01', attributes: { n: 2.5, yes: true } } },
    })
    expect(read(['1', '', '', '', '', ''])).toEqual({
      kind: 'item',
      key: '1',
      item: { body: { externalId: '1' }, status: undefined, joinedAt: undefined },
    })
  })

  test.each([
    [['', 'Ada', '', '', '', ''], 'external_id_missing'],
    [['1', 'Ada'], 'row_ragged'],
    [['1', 'Ada', '', '30.2.1990', '', ''], 'time_invalid'],
    [['1', 'Ada', '', '', '2.5', ''], 'number_invalid'],
    [['1', 'Ada', '', '', '', 'perhaps'], 'number_invalid'],
    [['1', 'x'.repeat(201), '', '', '', ''], 'member_invalid'],
    [['x'.repeat(201), 'Ada', '', '', '', ''], 'text_too_long'],
    [['1', 'A\0da', '', '', '', ''], 'text_invalid'],
  ])('%j is refused', (cells, code) => {
    expect(read(cells)).toMatchObject({ kind: 'fault', no: { code } })
  })
})
