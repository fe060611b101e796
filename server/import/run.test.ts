import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Ask, Outcome } from '@laurel/engine/gate/asks'
import { exampleMap, SILENT } from './import-for-tests.ts'
import type { Fault } from './plan.ts'
import { type ImportOptions, importPurchases } from './run.ts'
import { reportText } from './tally.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const row = (number: string, quantity = 1, customer = '7.0') =>
  `${number},TEA,Tea,${quantity},2024-01-01 10:00:00,2.5,${customer},UK`
const MEMBER = 'mem_00000000000000000000000000'
const stored = (more: object = {}): Outcome => ({
  status: 201,
  body: JSON.stringify({ member: MEMBER, points: 2, ...more }),
  replayed: false,
})
const refusal = (status: number, code: string): Outcome => ({
  status,
  body: JSON.stringify({ code, detail: `${code}!` }),
  replayed: false,
})

async function run(rows: string[], submit: (ask: Ask) => Promise<Outcome>, more: Partial<ImportOptions> = {}) {
  const path = join(folder, 'sales.csv')
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`)
  const faults: Fault[] = []
  const refused = {
    add: (_: string, some: readonly Fault[]) => void faults.push(...some),
    close: async () => undefined,
  }
  const options = { path, map: await exampleMap(), program: 'coffee', submit, refused, progress: SILENT, ...more }
  return { tally: await importPurchases(options), faults }
}

describe('an import whose server', () => {
  test('is overloaded for a while asks again', async () => {
    const asked: string[] = []
    const { tally } = await run([row('1'), row('2')], async (ask) => {
      asked.push('externalId' in ask ? (ask.externalId ?? '') : '')
      return asked.length < 4 ? refusal(503, 'overloaded') : stored()
    })
    expect(tally.purchases).toMatchObject({ recorded: 2, refused: 0 })
    expect(asked).toHaveLength(5)
  })

  test('has gone stops, says near which line, and that it can be run again', async () => {
    const { tally } = await run(
      Array.from({ length: 50 }, (_, i) => row(String(i))),
      async (ask) => ('externalId' in ask && Number(ask.externalId) < 10 ? stored() : refusal(503, 'unavailable')),
      { underWayMax: 4, patienceMs: 150 },
    )
    expect(tally.purchases.recorded).toBe(10)
    expect(tally.stopped).toMatchObject({ why: 'unavailable!' })
    expect(reportText(tally, { dryRun: false })).toMatch(
      /Stopped near line \d+: unavailable!\. Run the same command again/,
    )
  })

  test('meets a fault asks once more; if it stays, that purchase is listed and the others go in', async () => {
    const { tally, faults } = await run([row('1'), row('2'), row('2'), row('3')], async (ask) => {
      if ('externalId' in ask && ask.externalId === '2') throw new Error('a bug')
      return stored()
    })
    expect(tally).toMatchObject({ faults: 1, purchases: { recorded: 2, refused: 1 } })
    expect(faults).toEqual([3, 4].map((line) => ({ line, code: 'fault', reason: 'a bug' })))
  })

  test('meets nothing but faults stops', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => row(String(i)))
    const { tally } = await run(rows, async () => Promise.reject(new Error('no such column')), { underWayMax: 120 })
    expect(tally.stopped?.why).toBe("one fault of Laurel's own after another: no such column")
    expect(tally.purchases.found).toBeLessThan(300)
  })

  test('refuses purchases lists all their rows with its code', async () => {
    const { tally, faults } = await run([row('1'), row('1')], async () => refusal(422, 'currency_mismatch'))
    expect(tally.refused).toEqual(new Map([['currency_mismatch', 2]]))
    expect(faults.map((fault) => fault.line)).toEqual([2, 3])
    expect(tally.purchases).toMatchObject({ found: 1, recorded: 0, refused: 1 })
  })
})

test('returns before the first purchase of their customer are asked last, in the order of the file', async () => {
  const asked: string[] = []
  const rows = [row('C1', -1), row('C2', -3, '8.0'), row('3'), row('C4', -1), row('5', 1, '9.0')]
  const { tally, faults } = await run(
    rows,
    async (ask) => {
      asked.push('externalId' in ask ? (ask.externalId ?? '') : '')
      if (ask.member === 'external:8') return refusal(404, 'member_unknown')
      return stored(ask.verb === 'return' ? { unmatched: [{ sku: 'TEA', quantity: 1 }], reversed: [] } : {})
    },
    { underWayMax: 1 },
  )
  expect(asked).toEqual(['3', 'C4', '5', 'C1', 'C2'])
  expect(tally.returns).toMatchObject({ found: 3, recorded: 2, ofUnknownMembers: 1, units: 5, unitsUnmatched: 5 })
  expect(tally.refused.size).toBe(0)
  expect(faults).toEqual([{ line: 3, code: 'member_unknown', reason: 'member_unknown!' }])
})

test('a dry run asks nothing and counts everything', async () => {
  const { tally } = await run([row('1'), row('2', 1, '8.0'), row('C3', -2), row('4', 0)], async () => stored(), {
    submit: undefined,
  })
  expect(tally).toMatchObject({
    rows: 4,
    taken: 3,
    membersEnrolled: 2,
    purchases: { found: 2, recorded: 0 },
    returns: { found: 1, units: 2 },
  })
  expect(tally.refused).toEqual(new Map([['quantity_invalid', 1]]))
})
