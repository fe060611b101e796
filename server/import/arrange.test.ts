import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { purchases, survey } from './arrange.ts'
import { known } from './known.ts'
import { parseMap } from './map.ts'
import { planFor } from './plan.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-arrange-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const map = parseMap(
  JSON.stringify({
    purchase: 'no',
    member: { column: 'who' },
    occurredAt: { column: 'at', format: 'yyyy-MM-dd', timezone: 'Etc/UTC' },
    currency: { constant: 'GBP' },
    line: { sku: 'sku', quantity: 'n', amount: 'amount' },
    skip: [{ column: 'who', when: 'empty', reason: 'nobody' }],
  }),
  'map.json',
)
const HEADER = 'no,who,at,sku,n,amount'

/** Gathered purchases as [number, lines of the file], and the lines of rows that belong to none. */
async function arrange(rows: string[], spillMax?: number) {
  const path = join(folder, 'rows.csv')
  writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`)
  const source = { path, file: undefined }
  const surveyed = await survey(source, (header) => planFor(map, header, 'coffee'), spillMax)
  const found: [string, number[]][] = []
  const faults: number[] = []
  for await (const one of purchases(source, surveyed)) {
    if (one.kind === 'fault') faults.push(one.fault.line)
    else found.push([one.number, one.rows.map((row) => row.line)])
  }
  await surveyed.close()
  return { found, faults, surveyed }
}

const row = (no: string, who = 'ada') => `${no},${who},2024-01-01,tea,1,2.50`

describe('rows of one purchase', () => {
  test('come together, in order, where the first of them stands', async () => {
    const { found, surveyed } = await arrange([row('1'), row('2'), row('1'), row('3'), row('2'), row('2'), row('1')])
    expect(found).toEqual([
      ['1', [2, 4, 8]],
      ['2', [3, 6, 7]],
      ['3', [5]],
    ])
    expect(surveyed).toMatchObject({ rows: 7, numbers: 3 })
  })

  test('however they are mixed, and whether or not they fit in memory', async () => {
    const numbers = fc.array(
      fc.record({ no: fc.integer({ min: 0, max: 12 }), kind: fc.constantFrom('row', 'row', 'row', 'skip', 'fault') }),
      { maxLength: 120 },
    )
    await fc.assert(
      fc.asyncProperty(numbers, fc.constantFrom(1, 200, 1_000_000), async (rows, spillMax) => {
        const expected = new Map<string, number[]>()
        const faulty: number[] = []
        for (const [i, { no, kind }] of rows.entries()) {
          if (kind === 'row') expected.set(`N${no}`, [...(expected.get(`N${no}`) ?? []), i + 2])
          if (kind === 'fault') faulty.push(i + 2)
        }
        const texts = rows.map(({ no, kind }) =>
          kind === 'fault' ? row('') : row(`N${no}`, kind === 'skip' ? '' : 'ada'),
        )
        const { found, faults, surveyed } = await arrange(texts, spillMax)
        expect(found).toEqual([...expected])
        expect(faults.sort((a, b) => a - b)).toEqual(faulty)
        expect(surveyed.skipped.get('nobody') ?? 0).toBe(rows.filter(({ kind }) => kind === 'skip').length)
      }),
      { numRuns: 150 },
    )
  })

  test('leave nothing in the temporary folder while they are on disk', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('laurel-import-')).length
    const path = join(folder, 'spilled.csv')
    writeFileSync(path, `${HEADER}\n${Array.from({ length: 1000 }, (_, i) => row(String(i % 10))).join('\n')}\n`)
    const surveyed = await survey({ path, file: undefined }, (header) => planFor(map, header, 'coffee'), 1_000)
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('laurel-import-'))).toHaveLength(before)
    await surveyed.close()
  })

  test('beyond a thousand are refused one by one, however many', async () => {
    const { found, faults } = await arrange(Array.from({ length: 2500 }, () => row('1')))
    expect(found).toEqual([['1', Array.from({ length: 1001 }, (_, i) => i + 2)]])
    expect(faults).toHaveLength(1499)
  })

  test('of a file that changes meanwhile are not trusted', async () => {
    const path = join(folder, 'changing.csv')
    writeFileSync(path, `${HEADER}\n${row('1')}\n`)
    const source = { path, file: undefined }
    const surveyed = await survey(source, (header) => planFor(map, header, 'coffee'))
    appendFileSync(path, `${row('2')}\n`)
    const read = async () => {
      for await (const _ of purchases(source, surveyed)) {
        /* only its end matters */
      }
    }
    await expect(read()).rejects.toThrow(/was changed while it was being read/)
  })
})

test('names are known by their numbers, in few bytes', () => {
  const names = known()
  const count = 100_000
  for (let i = 0; i < count; i++) expect(names.add(`invoice ${i}`).number).toBe(i)
  for (let i = 0; i < count; i += 997) expect(names.add(`invoice ${i}`)).toEqual({ number: i, fresh: false })
  expect(names.size).toBe(count)
  expect(names.bytes / count).toBeLessThan(46)
})
