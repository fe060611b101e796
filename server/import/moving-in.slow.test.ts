import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

const EXAMPLE = join(import.meta.dirname, '../../examples/moving-in')

async function say(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [CLI, 'import', ...args, '--refused', join(folder, 'refused.csv')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const out of [child.stdout, child.stderr]) out.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return { code: await ended(child), said }
}

test('the commands say what they did, what they refused, and end with the code for it', async () => {
  const shop = await openShop()
  const env = { DATABASE_URL: shop.url }
  const members = ['members', join(EXAMPLE, 'members.csv'), '--map', join(EXAMPLE, 'members.json')]
  const balances = ['balances', join(EXAMPLE, 'balances.csv'), '--program', 'coffee']
  const dry = await say([...members, '--dry-run'])
  expect(dry).toMatchObject({
    code: 3,
    said: expect.stringMatching(/rows that are well +6\n[\s\S]*Dry run: nothing was stored/),
  })
  const report = join(folder, 'report.json')
  const first = await say([...members, '--report', report], env)
  expect(first).toMatchObject({ code: 3, said: expect.stringMatching(/members enrolled +5\n/) })
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
    enrolled: 5,
    changed: true,
    dryRun: false,
    rows: 16,
  })
  expect(await say(members, env)).toMatchObject({ code: 3, said: expect.stringContaining('Nothing changed') })
  const opened = await say(balances, env)
  expect(opened).toMatchObject({ code: 3, said: expect.stringMatching(/points opened +450\n/) })
  expect(opened.said).toMatch(/refused: points_invalid +3 {3}The points are not a whole number/)
  expect(await say([...balances.slice(0, 2), '--program', 'tea'], env)).toMatchObject({
    code: 1,
    said: expect.stringContaining('There is no program "tea" in the live data. There is: coffee.'),
  })
  const nowhere = await say(['members', 'nowhere.csv', '--map', join(EXAMPLE, 'members.json'), '--dry-run'])
  expect(nowhere).toMatchObject({ code: 1, said: expect.stringContaining('There is no file nowhere.csv.') })
})
