import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../tests/database.ts'
import { randomOf } from '../../tests/simulate/random.ts'
import { expectedWithExpiry, replayWithExpiry } from './replay-expiry-for-tests.ts'
import { expectedOf, replayFile } from './replay-for-tests.ts'

/** Half a year with points that expire and a month that counts twice: of a shop of our own, and of the real one when it is here. */
const folder = mkdtempSync(join(tmpdir(), 'laurel-expiry-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Sales of twenty customers over half a year, some of which come back. */
function someShop(): string {
  const r = randomOf(7)
  const rows = ['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country']
  const [begin, end] = [Date.UTC(2010, 11, 1, 8), Date.UTC(2011, 5, 1)]
  let number = 500_000
  for (let when = begin; when < end; when += r.int(1, 8) * 3_600_000) {
    const time = new Date(when).toISOString().slice(0, 19).replace('T', ' ')
    const customer = r.chance(0.05) ? '' : `${r.int(1, 20)}.0`
    const back = r.chance(0.2)
    number += 1
    for (let i = r.int(1, 4); i > 0; i--) {
      const units = r.int(1, 6) * (back ? -1 : 1)
      const price = (r.int(0, 40_000) / 1000).toFixed(r.int(1, 3))
      rows.push(`${back ? 'C' : ''}${number},S-${r.int(1, 6)},Something,${units},${time},${price},${customer},UK`)
    }
  }
  const path = join(folder, 'some-shop.csv')
  writeFileSync(path, `${rows.join('\n')}\n`)
  return path
}

test('every number of a shop of ours is what the file alone gives', async () => {
  const { pool, space } = await openDatabase()
  const path = someShop()
  const expected = expectedWithExpiry(path)
  expect(expected.members).toBe(20)
  expect(Math.min(expected.pointsTakenBack, expected.pointsExpired, expected.balances)).toBeGreaterThan(0)
  expect(Object.keys(expected.openUntil)).toEqual(['2011-07', '2011-08'])
  expect(await replayWithExpiry(pool, space, path)).toEqual({ got: expected, wrong: undefined })
})

const file = replayFile()

describe.runIf(file)('half a year of a real retailer', () => {
  test('every number is what the file alone gives', { timeout: 180_000 }, async () => {
    const copy = join(folder, 'sales.csv.gz')
    copyFileSync(file ?? '', copy)
    const known = await expectedOf(copy)
    const plain = expectedWithExpiry(copy, true)
    expect([plain.members, plain.pointsGiven, plain.pointsTakenBack, plain.balances, plain.sha256OfBalances]).toEqual([
      known?.members,
      known?.pointsIssued,
      known?.pointsReversed,
      known?.balances,
      known?.sha256OfBalances,
    ])
    const { pool, space } = await openDatabase()
    expect(await replayWithExpiry(pool, space, copy)).toEqual({ got: expectedWithExpiry(copy), wrong: undefined })
  })
})
