import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verify } from '@laurel/engine/verify'
import { openShop, type Shop } from '../../tests/shop.ts'
import { balancesOf, importInto, SAMPLE, stateOf } from './import-for-tests.ts'
import type { Tally } from './tally.ts'

/**
 * examples/online-retail/sample.csv has every oddity that we know of real exports. What must come out of it is computed
 * here by a model of a few lines that shares nothing with the import or the engine.
 */
const folder = mkdtempSync(join(tmpdir(), 'laurel-sample-'))
const file = join(folder, 'sample.csv')
let shop: Shop
let first: Tally

/** Line → why it is refused; read off the file by eye. Line numbers count a quoted line break as a line. */
const REFUSED: Record<number, string> = {
  37: 'quantity_invalid',
  38: 'purchase_incomplete',
  39: 'row_ragged',
  40: 'row_ragged',
  41: 'time_invalid',
  42: 'purchase_missing',
  43: 'sku_missing',
  44: 'quantity_sign',
  45: 'quantity_sign',
  46: 'amount_invalid',
  47: 'amount_negative',
  48: 'member_missing',
  49: 'member_differs',
  50: 'member_differs',
  51: 'quantity_invalid',
  52: 'quantity_invalid',
  53: 'invalid_request',
  54: 'amount_invalid',
}

type ModelLine = { sku: string; units: number; pence: number; back: number }
type ModelPurchase = { at: string; lines: ModelLine[]; given: number; left: number }

function model() {
  const purchases = new Map<string, ModelPurchase[]>()
  let unmatched = 0
  for (const [number, rows] of invoices()) {
    const customer = String(Math.trunc(Number(rows[0]?.[6])))
    const at = rows[0]?.[4] ?? ''
    const own = purchases.get(customer) ?? []
    if (!number.startsWith('C')) {
      const lines = rows.map((row) => ({ sku: row[1] ?? '', units: Number(row[3]), pence: pence(row), back: 0 }))
      const given = Math.floor(lines.reduce((sum, line) => sum + line.pence, 0) / 100)
      purchases.set(customer, [...own, { at, lines, given, left: given }])
      continue
    }
    for (const row of rows) {
      let units = -Number(row[3])
      for (const purchase of own.toReversed()) {
        for (const line of purchase.lines) {
          while (line.sku === row[1] && units > 0 && line.back < line.units && purchase.at <= at) {
            line.back += 1
            units -= 1
          }
        }
        const stays = purchase.lines.reduce(
          (sum, l) => sum + l.pence - Math.floor((l.pence * l.back) / l.units + 0.5),
          0,
        )
        purchase.left = Math.min(purchase.given, Math.floor(stays / 100))
      }
      unmatched += units
    }
  }
  const all = [...purchases.values()].flat()
  return {
    purchases: all.length,
    unmatched,
    issued: all.reduce((sum, p) => sum + p.given, 0),
    reversed: all.reduce((sum, p) => sum + p.given - p.left, 0),
    balances: Object.fromEntries([...purchases].map(([c, own]) => [c, own.reduce((sum, p) => sum + p.left, 0)])),
  }
}

/** Thousandths of a pound are whole in the file. */
function pence(row: string[]): number {
  return Math.floor((Number(row[3]) * Math.round(Number(row[5]) * 1000) + 5) / 10)
}

function invoices(): Map<string, string[][]> {
  const found = new Map<string, string[][]>()
  let line = 1
  for (const record of readFileSync(SAMPLE, 'utf8').match(/(?:"(?:[^"]|"")*"|[^\n])+/g) ?? []) {
    const cells = [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) =>
      (m[1] ?? m[2] ?? '').replaceAll('""', '"'),
    )
    if (line > 1 && !REFUSED[line] && cells[6]) found.set(cells[0] ?? '', [...(found.get(cells[0] ?? '') ?? []), cells])
    line += record.split('\n').length
  }
  return found
}

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  copyFileSync(SAMPLE, file)
  first = await importInto(shop, file)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the sample', () => {
  test('gives the numbers of an independent model', async () => {
    const expected = model()
    expect(expected).toMatchObject({ purchases: 11, unmatched: 22 })
    expect(first.purchases).toMatchObject({
      recorded: expected.purchases,
      alreadyThere: 0,
      points: expected.issued,
      refused: 1,
    })
    expect(first.returns).toMatchObject({
      recorded: 7,
      ofUnknownMembers: 1,
      points: expected.reversed,
      unitsUnmatched: expected.unmatched,
    })
    expect(first.membersEnrolled).toBe(9)
    expect(await balancesOf(shop)).toEqual(expected.balances)
    const report = await verify(shop.pool, shop.space)
    expect(report.wrong).toBeUndefined()
    expect(report).toMatchObject({ members: 9, purchases: 11, returns: 7 })
  })

  test('counts every row once: stored, skipped, refused, or a return of someone who never bought', () => {
    const { rows, taken, skipped, refused, returns } = first
    expect(Object.fromEntries(skipped)).toEqual({ 'no customer': 2, 'empty row': 1 })
    const sum = [...skipped.values(), ...refused.values()].reduce((a, b) => a + b, 0)
    expect(taken + sum + returns.rowsOfUnknownMembers).toBe(rows)
    expect(rows).toBe(54)
  })

  test('names each refused row by its line and the reason, inert for spreadsheets', () => {
    const lines = readFileSync(`${file}.refused.csv`, 'utf8').trimEnd().split('\n')
    const refused = lines
      .slice(1)
      .filter((line) => !line.includes('member_unknown'))
      .map((line) => line.split(','))
    expect(Object.fromEntries(refused.map(([line, code]) => [line, code]))).toEqual(REFUSED)
    expect(lines.find((line) => line.startsWith('54,'))).toContain(",'=1+1,")
    expect(lines.filter((line) => line.includes('member_unknown'))).toHaveLength(2)
  })

  test('reads local times: forward out of the gap, the earlier of the overlap, the first row of a purchase', async () => {
    const rows = await shop.sql(
      `select external_id, (occurred_at at time zone 'UTC')::text as at, items, metadata from purchases`,
    )
    const of = (id: string) => rows.find((row) => row.external_id === id)
    expect(of('700014')?.at).toBe('2011-03-27 01:30:00')
    expect(of('700015')?.at).toBe('2010-10-31 00:30:00')
    expect(of('700001')?.at).toBe('2011-03-01 09:15:00')
    expect(of('700036')?.at).toBe('2011-04-01 15:45:00')
    expect(of('700008')?.at).toBe('2011-03-02 12:00:00')
    expect(JSON.parse(of('700008')?.items as string)).toEqual([
      { line: '1', sku: 'DOG-01', name: 'DOG BOWL\n"REX"', quantity: 4, amount: 2500 },
      { line: '2', sku: 'DOG-02', name: 'DOG LEAD', quantity: 1, amount: 995 },
      { line: '3', sku: 'DOG-01', name: 'DOG BOWL REX', quantity: 2, amount: 1200 },
    ])
    expect(JSON.parse(of('700006')?.items as string).map((item: { amount: number }) => item.amount)).toEqual([
      1, 150, 0, 0, 100,
    ])
    expect(of('700009')?.metadata).toBe('{"country":"Germany"}')
  })

  test('changes nothing when it is imported again, and says so', async () => {
    const before = await stateOf(shop)
    const second = await importInto(shop, file)
    expect(await stateOf(shop)).toEqual(before)
    expect(second.purchases).toMatchObject({
      recorded: 0,
      alreadyThere: 11,
      points: 0,
      pointsAlreadyThere: first.purchases.points,
    })
    expect(second.returns).toMatchObject({
      recorded: 0,
      alreadyThere: 7,
      ofUnknownMembers: 1,
      points: 0,
      unitsUnmatched: first.returns.unitsUnmatched,
    })
    expect(second.membersEnrolled).toBe(0)
    expect([...second.refused]).toEqual([...first.refused])
  })

  test('ends the same when it is stopped half way and run again', async () => {
    const other = await openShop()
    await other.rule('per_amount', { points: 1, per: 100 })
    for (const after of [3, 7, 12]) {
      const stop = new AbortController()
      let shown = 0
      const progress = { show: () => void (++shown === after && stop.abort()), end() {} }
      const tally = await importInto(other, file, { stop: stop.signal, progress, underWayMax: 2 })
      expect(tally.stopped).toBeDefined()
    }
    await importInto(other, file)
    expect(await stateOf(other)).toEqual(await stateOf(shop))
  })
})

test('a return before the first purchases of its member, all in one minute, ends the same however often it is stopped', async () => {
  const row = (number: string, quantity: number, price: string) =>
    `${number},TEA-01,Tea,${quantity},2011-03-01 09:15:00,${price},7.0,UK`
  const path = join(folder, 'minute.csv')
  writeFileSync(
    path,
    [
      'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
      row('C1', -1, '3'),
      row('2', 1, '3'),
      row('3', 1, '5'),
      '',
    ].join('\n'),
  )
  const [whole, stopped] = [await openShop(), await openShop()]
  for (const one of [whole, stopped]) await one.rule('per_amount', { points: 1, per: 100 })
  await importInto(whole, path)
  const stop = new AbortController()
  const { gate } = stopped
  await importInto(stopped, path, {
    stop: stop.signal,
    submit: async (ask) => {
      stop.abort()
      return await gate.submit(stopped.space, ask)
    },
  })
  expect(await balancesOf(stopped)).toEqual({ 7: 3 })
  await importInto(stopped, path)
  expect(await stateOf(stopped)).toEqual(await stateOf(whole))
  expect(await balancesOf(whole)).toEqual({ 7: 3 })
})
