import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from '../../tests/shop.ts'
import { ran } from '../laurel-for-tests.ts'

/** Laurel's ledger read by two accounting programs that know nothing of Laurel. */
let shop: Shop
let directory: string
const file = (name: string) => join(directory, name)

/** What a program makes of a journal. Not having it is not having passed: the run fails and says what to install. */
function run(program: 'hledger' | 'ledger', path: string, ...args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, ['--file', path, ...args], { encoding: 'utf8' })
  if (error) throw new Error(`${program} is missing: apt-get install hledger ledger`, { cause: error })
  return { status, said: stdout + stderr }
}
const checked = (path: string) => ({ hledger: run('hledger', path, 'check'), ledger: run('ledger', path, 'balance') })

async function exported(name: string, ...args: string[]) {
  const { code, said } = await ran(['export', 'journal', '--out', file(name), ...args], { DATABASE_URL: shop.url })
  return { code, said, text: readFileSync(file(name), 'utf8') }
}

const NASTY = 'Sorry;\n2026-01-01 * forged\n  members:x  1 "coffee/points"\n=cmd|\' [2020-01-01] :tag: a:: b  end'

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'laurel-journal-'))
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  for (const member of ['ada', 'bob', 'cy']) {
    for (let i = 1; i <= 4; i++) await shop.buy(`${member}-${i}; = "x"`, `external:${member}`, 1000 * i)
    await shop.giveBack(`${member}-r`, `external:${member}`, { purchase: `external:${member}-2; = "x"` })
    const to = { member: `external:${member}`, wallet: 'points' }
    await shop.gate.submit(shop.space, { verb: 'spend', ...to, points: 33, reason: NASTY, externalId: `${member}-s` })
    await shop.gate.submit(shop.space, { verb: 'adjust', ...to, points: 5, reason: '=HYPERLINK("x")' })
  }
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('the journal', () => {
  test('is accepted by hledger and by ledger, and adds up to what the API says', async () => {
    const { code, text } = await exported('all.journal')
    expect(code).toBe(0)
    const both = checked(file('all.journal'))
    expect(both).toMatchObject({ hledger: { status: 0 }, ledger: { status: 0 } })
    const wallets = await shop.wallets('external:ada')
    expect(text).toContain(`0 "coffee/points" = ${wallets[0].available - 1} "coffee/points"`) // shop.wallets gives one
  })
})
