import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { verify } from '@laurel/engine/verify'
import { openShop, type Shop } from '../../tests/shop.ts'

const CLI = join(import.meta.dirname, '../cli.ts')
const folder = mkdtempSync(join(tmpdir(), 'laurel-moving-killed-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MEMBERS = 20_000
const KILLS = 3

const MAP = { externalId: { column: 'id' }, email: 'email', name: 'name', attributes: { tier: 'tier' } }

function makeFiles(): { members: string; balances: string; map: string } {
  const [members, balances, map] = ['members.csv', 'balances.csv', 'map.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const people = Array.from({ length: MEMBERS }, (_, i) => `m${i},m${i}@example.com,Member ${i},${i % 3}`)
  const lots = Array.from(
    { length: MEMBERS },
    (_, i) => `b${i},m${i % 5_000},${1 + (i % 97)},2025-01-0${1 + (i % 9)}T00:00:00Z`,
  )
  writeFileSync(members, `id,email,name,tier\n${people.join('\n')}\n`)
  writeFileSync(balances, `externalId,member,points,earnedAt\n${lots.join('\n')}\n`)
  writeFileSync(map, JSON.stringify(MAP))
  return { members, balances, map }
}

const ended = (child: ChildProcess) => new Promise<number | null>((done) => child.once('exit', (code) => done(code)))

/** Kills the import KILLS times on its way, then lets it run; gives how often it was killed midway. */
async function killed(shop: Shop, args: string[], table: string): Promise<number> {
  const stored = async () => Number((await shop.sql(`select count(*) as n from ${table}`))[0]?.n)
  const start = () =>
    spawn(process.execPath, [CLI, 'import', ...args], {
      env: { ...process.env, DATABASE_URL: shop.url },
      stdio: 'ignore',
    })
  let midway = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const from = await stored()
    const child = start()
    const gone = ended(child)
    while (child.exitCode === null && (await stored()) < from + 1_000) await sleep(1)
    child.kill('SIGKILL')
    await gone
    const reached = await stored()
    if (reached > from && reached < MEMBERS) midway += 1
  }
  expect(await ended(start())).toBe(0)
  expect(await stored()).toBe(MEMBERS)
  expect(await ended(start())).toBe(0)
  return midway
}

test('members and balances killed -9 on their way, and run again, are all there once', async () => {
  const files = makeFiles()
  const shop = await openShop()
  expect(await killed(shop, ['members', files.members, '--map', files.map], 'members')).toBeGreaterThan(0)
  expect(await killed(shop, ['balances', files.balances, '--program', 'coffee'], 'entries')).toBeGreaterThan(0)
  const [sums] = await shop.sql(
    'select count(*) as n, sum(points) as points, count(distinct member_id) as m from entries',
  )
  const points = Array.from({ length: MEMBERS }, (_, i) => 1 + (i % 97)).reduce((a, b) => a + b, 0)
  expect(sums).toEqual({ n: String(MEMBERS), points: String(points), m: '5000' })
  const [doubled] = await shop.sql('select count(*) - count(distinct external_id) as n from members')
  expect(doubled?.n).toBe('0')
  expect(await verify(shop.pool, shop.space)).toMatchObject({ members: MEMBERS, entries: MEMBERS })
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
