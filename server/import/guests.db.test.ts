import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { verify } from '@laurel/engine/verify'
import { openShop } from '../../tests/shop.ts'
import { exampleMap, importInto } from './import-for-tests.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-guests-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const row = (number: string, quantity: number, customer: string) =>
  `${number},TEA,Tea,${quantity},2024-01-01 10:00:00,2.5,${customer},UK`
const ROWS = [
  row('1', 4, '7.0'),
  row('2', 8, ''),
  row('2', 2, ''),
  row('3', 1, ''),
  row('3', 1, '7.0'),
  row('C4', -1, ''),
]

async function importing(guests: 'keep' | 'skip' | undefined) {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  const path = join(folder, `${guests}.csv`)
  writeFileSync(path, `${[HEADER, ...ROWS].join('\n')}\n`)
  const { skip: _, ...map } = await exampleMap()
  const run = () => importInto(shop, path, { map: guests ? { ...map, guests } : map })
  const tally = await run()
  const listed = `${path}.refused.csv`
  const refused = existsSync(listed) ? readFileSync(listed, 'utf8').split('\n').slice(1, -1) : []
  return { shop, tally, run, refused: refused.map((line) => line.split(',').slice(0, 2).join(' ')) }
}

test('guests are kept as purchases without a member, and claimed by the shop’s next file', async () => {
  const { shop, tally, refused, run } = await importing('keep')
  expect(tally.purchases).toMatchObject({ found: 2, recorded: 2, unclaimed: 1, points: 10 })
  expect(refused).toEqual(['5 member_differs', '6 member_differs', '7 guest_return'])
  expect(await shop.sql('select external_id, total from unclaimed_purchases')).toEqual([
    { external_id: '2', total: '2500' },
  ])
  expect((await run()).purchases).toMatchObject({ recorded: 0, alreadyThere: 2, unclaimed: 0 })
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()

  const known = join(folder, 'known.csv')
  writeFileSync(known, `${[HEADER, row('2', 8, '9.0'), row('2', 2, '9.0')].join('\n')}\n`)
  expect((await importInto(shop, known)).purchases).toMatchObject({ recorded: 1, points: 25 })
  expect((await run()).purchases).toMatchObject({ recorded: 0, alreadyThere: 2 })
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})

test('guests are skipped and counted, or refused, as the map says', async () => {
  const skipped = await importing('skip')
  expect(Object.fromEntries(skipped.tally.skipped)).toEqual({ 'no member': 4 })
  expect(skipped.tally.purchases).toMatchObject({ recorded: 2, unclaimed: 0 })
  const refused = await importing(undefined)
  expect(refused.refused.map((line) => line.split(' ')[1])).toContain('member_missing')
  expect(refused.tally.purchases).toMatchObject({ recorded: 1 })
})
