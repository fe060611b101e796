import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withRead, withTx } from '@laurel/engine/base/db'
import { getPool } from '@laurel/engine/codes/pools'
import { createPool } from '@laurel/engine/configure-pools'
import { importCodes } from '@laurel/engine/import-codes'
import { door, openShop, type Shop } from '../../tests/shop.ts'
import { importCodesFile, type CodesOptions } from './codes.ts'
import { SILENT } from './import-for-tests.ts'
import { refusedFile } from './refused.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-codes-'))
const path = join(folder, 'codes.csv')
let shop: Shop
let pool: string
let other: string

beforeAll(async () => {
  shop = await openShop()
  const make = (slug: string) =>
    withTx(shop.pool, shop.space, (tx) => createPool(tx, { program: 'coffee', slug, name: slug }, door()))
  pool = (await make('cinema')).pool.id
  other = (await make('theatre')).pool.id
  await withTx(shop.pool, shop.space, (tx) => importCodes(tx, other, ['SEAT-7']))
  const rows = Array.from({ length: 2500 }, (_, i) => `${i},FILM-${String(i).padStart(5, '0')}`)
  rows[10] = '10,film 00009' // is the one before, in other words
  rows[20] = '20,'
  rows[30] = '30,SEAT 7'
  rows[40] = '40,FILM-00040,more'
  writeFileSync(path, `\ufeffnumber,Ticket\n${rows.join('\n')}\n`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function bring(into: CodesOptions['into'], column = 'Ticket') {
  const refused = await refusedFile(`${path}.refused.csv`, 'text')
  try {
    return await importCodesFile({ path, column, into, refused, progress: SILENT })
  } finally {
    await refused.close()
  }
}
const told = async (into: CodesOptions['into']) => {
  const { rows, taken, counts, refused, faults } = await bring(into)
  return { rows, taken, counts: Object.fromEntries(counts), refused: Object.fromEntries(refused), faults }
}

test('a file of codes goes into a pool in its order; a second run changes nothing; a dry run stores nothing', async () => {
  const refused = { row_repeated: 1, code_invalid: 1, row_ragged: 1 }
  expect(await told(undefined)).toEqual({ rows: 2500, taken: 2497, counts: {}, refused, faults: 0 })
  const into = { pool: shop.pool, space: shop.space, codes: pool }
  const all = { ...refused, code_elsewhere: 1 }
  const first = { rows: 2500, taken: 2496, counts: { added: 2496, known: 0 }, refused: all, faults: 0 }
  expect(await told(into)).toEqual(first)
  expect(readFileSync(`${path}.refused.csv`, 'utf8').trim().split('\n')).toEqual([
    'line,code,text,reason',
    '12,row_repeated,FILM00009,An earlier row has the same external id: that one counts',
    '22,code_invalid,,the code is empty',
    '42,row_ragged,,"3 cells, where the header has 2"',
    '32,code_elsewhere,SEAT7,another pool has this code',
  ])
  expect(await told(into)).toEqual({ ...first, counts: { added: 0, known: 2496 } })
  const { pool: now } = await withRead(shop.pool, shop.space, (db) => getPool(db, pool))
  expect(now).toMatchObject({ total: 2496, left: 2496, handedOut: 0 })
  const seqs = await shop.sql(
    `select code from pool_codes c join code_pools p using (pool_id) where p.slug = 'cinema' order by seq limit 3`,
  )
  expect(seqs.map(({ code }) => code)).toEqual(['FILM-00000', 'FILM-00001', 'FILM-00002'])
})

test('a column that the file does not have is said', async () => {
  await expect(bring(undefined, 'code')).rejects.toThrow('the column "code", which the file does not have')
})
