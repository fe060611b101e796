import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { verify } from '@laurel/engine/verify'
import { openShop, type Shop } from '../../tests/shop.ts'
import { importInto, stateOf } from './import-for-tests.ts'

const CLI = join(import.meta.dirname, '../cli.ts')
const MAP = join(import.meta.dirname, '../../examples/online-retail/map.json')
const folder = mkdtempSync(join(tmpdir(), 'laurel-killed-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const INVOICES = 4_000
const KILLS = 6

/** A small generator of numbers, so that a failure can be had again: the seed is in the test's name. */
const SEED = Number(process.env.LAUREL_TEST_SEED ?? Date.now() % 1_000_000)
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Few members, many returns, several with the minute of a purchase, some before their members' first, rows out of place. */
function makeFile(path: string, seed: number): void {
  const next = numbers(seed)
  const rows: string[] = []
  for (let i = 0; i < INVOICES; i++) {
    const back = next(4) === 0
    const at = new Date(Date.UTC(2011, 0, 1) + (i - (i % 3)) * 600_000).toISOString().slice(0, 19).replace('T', ' ')
    const customer = i < 200 ? next(400) : next(60)
    for (let line = 0; line <= next(4); line++) {
      const quantity = back ? -1 - next(5) : 1 + next(12)
      const row = `${back ? 'C' : ''}${500_000 + i},SKU${next(8)},"Thing, no ${line}",${quantity},${at},${next(2_000) / 100},${customer}.0,UK`
      if (next(20) === 0) rows.splice(rows.length - next(Math.min(rows.length, 50) + 1), 0, row)
      else rows.push(row)
    }
  }
  writeFileSync(
    path,
    `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n${rows.join('\n')}\n`,
  )
}

async function openTill(): Promise<Shop> {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await shop.rule('per_item', { points: 3, skus: ['SKU3'] })
  return shop
}

function startImport(shop: Shop, path: string): ChildProcess {
  const args = [CLI, 'import', 'purchases', path, '--program', 'coffee', '--map', MAP]
  return spawn(process.execPath, args, { env: { ...process.env, DATABASE_URL: shop.url }, stdio: 'ignore' })
}

const stored = async (shop: Shop) => Number((await shop.sql('select count(*) as n from purchases'))[0]?.n)
const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.once('exit', (code) => done(code)))

describe(`an import killed -9 again and again (LAUREL_TEST_SEED=${SEED})`, () => {
  test('and run once more ends as if it had never been killed', async () => {
    const path = join(folder, 'sales.csv')
    makeFile(path, SEED)
    const whole = await openTill()
    const clean = await importInto(whole, path)
    expect(clean.returns).toMatchObject({ refused: 0 })
    expect(clean.returns.recorded).toBeGreaterThan(500)

    const shop = await openTill()
    const next = numbers(SEED + 1)
    let midway = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const from = await stored(shop)
      const target = from + 1 + next(Math.ceil((clean.purchases.recorded - from) / (KILLS - kill + 2)))
      const child = startImport(shop, path)
      const gone = ended(child)
      while (child.exitCode === null && (await stored(shop)) < target) await sleep(1)
      child.kill('SIGKILL')
      await gone
      const reached = await stored(shop)
      if (reached > from && reached < clean.purchases.recorded) midway += 1
    }
    expect(midway).toBeGreaterThan(0)
    expect(await ended(startImport(shop, path))).toBe(0)
    expect(await stateOf(shop)).toEqual(await stateOf(whole))
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
    const again = await importInto(shop, path)
    expect(again.purchases).toMatchObject({ recorded: 0, alreadyThere: clean.purchases.recorded, points: 0 })
    expect(again.returns).toMatchObject({ recorded: 0, unitsUnmatched: clean.returns.unitsUnmatched })
    expect(again.returns.ofUnknownMembers).toBe(clean.returns.ofUnknownMembers)
  })
})
