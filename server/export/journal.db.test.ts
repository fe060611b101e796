import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeId } from '../../contract/ids.ts'
import { configurations } from '../../engine/earning/configuration.ts'
import { createWalletReader } from '../../engine/views/wallets.ts'
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
    const { code, text, said } = await exported('all.journal')
    expect([code, said]).toEqual([0, expect.stringContaining('21 entries, 3 balances')])
    expect(checked(file('all.journal'))).toMatchObject({ hledger: { status: 0 }, ledger: { status: 0 } })
    for (const member of ['ada', 'bob', 'cy']) {
      const { rows } = await balances(member)
      for (const { id, available } of rows) {
        const account = `members:${id}:coffee:points`
        expect(text).toContain(`    ${account}  0 "coffee/points" = ${available} "coffee/points"\n`)
        expect(run('hledger', file('all.journal'), 'balance', '--no-total', account).said).toMatch(
          new RegExp(`^ +${available} coffee/points +${account}\n$`),
        )
      }
    }
  })

  test('holds only accounts of ours, whatever people wrote into their reasons', async () => {
    const { text } = await exported('all.journal')
    expect(text).toContain('; reason: Sorry%3B%0A2026-01-01 %2A forged')
    const accounts = run('hledger', file('all.journal'), 'accounts').said.trim().split('\n')
    expect(
      accounts.filter((name) => !/^(issued|redeemed|adjusted|members:mem_\w{26}:coffee:points)$/.test(name)),
    ).toEqual([])
    const descriptions = run('hledger', file('all.journal'), 'print', '--output-format', 'csv').said
    expect(descriptions.match(/^"\d+",/gm)).toHaveLength(21 * 2 + 3) // two postings an entry, one an assertion
    expect(descriptions).not.toMatch(/"[=+@-](?!\d)/)
  })

  test('is the same every time, and the same on standard output', async () => {
    const { text } = await exported('once.journal')
    const again = await ran(['export', 'journal'], { DATABASE_URL: shop.url })
    const lines = (all: string) => all.split('\n').filter((line) => !/^; Written|^\d+ entries|^journal /.test(line))
    expect(lines(again.said).join('\n').trimEnd()).toBe(lines(text).join('\n').trimEnd())
  })

  test('of some days carries forward what was before, and asserts what was then', async () => {
    await shop.sql('update entries set booked_at = booked_at - make_interval(days => 10 * (20 - seq))')
    const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)
    const { code, text } = await exported('some.journal', '--program', 'coffee', '--from', day(175), '--to', day(145))
    expect(code).toBe(0)
    expect(text.match(/ \* \(ent_/g)).toHaveLength(3 * 3) // of each member the entries 3, 4 and 5
    expect(text.match(/ \* carried forward\n/g)).toHaveLength(3)
    expect(text).toMatch(
      /carried forward\n +members:\S+ +30 "coffee\/points"\n +carried-forward +-30 "coffee\/points"\n/,
    )
    expect(text.match(/ 0 "coffee\/points" = 80 "coffee\/points"\n/g)).toHaveLength(3)
    expect(checked(file('some.journal'))).toMatchObject({ hledger: { status: 0 }, ledger: { status: 0 } })
    const dates = run('hledger', file('some.journal'), 'stats').said
    expect(dates).toContain(day(146)) // the assertions are of the last day
  })

  test.each([
    [['--from', '2026-13-01'], '--from is a date such as 2026-11-22, not 2026-13-01.'],
    [['--from', '2026-02-01', '--to', '2026-02-01'], '--from 2026-02-01 is not before --to 2026-02-01.'],
    [['--program', 'tea'], 'There is no program "tea" in the live data. There is: coffee.'],
    [['--out', '/nowhere/at/all.journal'], '/nowhere/at/all.journal cannot be written'],
  ])('%j is refused with what is wrong', async (args, message) => {
    const { code, said } = await ran(['export', 'journal', ...args], { DATABASE_URL: shop.url })
    expect(code).toBe(1)
    expect(said).toContain(message)
  })

  test('that nobody reads to its end says so, and fails', () => {
    const shell = `"${process.execPath}" server/cli.ts export journal 2>&1 >&3 | cat; exit \${PIPESTATUS[0]}`
    const { status, stdout } = spawnSync('bash', ['-c', `exec 3> >(true); sleep 0.5; ${shell}`], {
      encoding: 'utf8',
      env: { ...process.env, DATABASE_URL: shop.url },
    })
    expect([status, stdout]).toEqual([1, 'The journal was not read to its end.\n'])
  })

  test('of test data has nothing of the live data', async () => {
    const { text } = await exported('test.journal', '--mode', 'test')
    expect(text).not.toContain('coffee')
    expect(checked(file('test.journal'))).toMatchObject({ hledger: { status: 0 } })
  })

  test('control: a balance or an entry that was tampered with is refused by both, and by --check', async () => {
    const check = () => ran(['export', 'journal', '--check'], { DATABASE_URL: shop.url })
    expect(await check()).toMatchObject({ code: 0, said: expect.stringContaining('21 entries, 3 balances') })
    const { rows } = await balances('bob')
    await shop.sql(`update member_states set wallets = replace(wallets, '"b":52', '"b":53') where member_id = $1`, [
      rows[0]?.member,
    ])
    const account = `members:${rows[0]?.id}:coffee:points`
    expect((await check()).said).toContain(`WRONG: ${account} is 53, its entries add up to 52.`)
    const { code } = await exported('tampered.journal')
    expect(code).toBe(1)
    const { hledger, ledger } = checked(file('tampered.journal'))
    expect([hledger.status, hledger.said]).toEqual([1, expect.stringMatching(/balance assertion[\s\S]*asserted: +53/)])
    expect([ledger.status, ledger.said]).toEqual([1, expect.stringContaining('Balance assertion off by 1')])
    await shop.sql(`update member_states set wallets = replace(wallets, '"b":53', '"b":52') where member_id = $1`, [
      rows[0]?.member,
    ])
    await shop.sql('update entries set points = points + 1 where member_id = $1 and seq = 2', [rows[0]?.member])
    expect((await check()).said).toContain(`WRONG: ${account} is 52, its entries add up to 53.`)
    await exported('tampered.journal')
    expect(run('hledger', file('tampered.journal'), 'check').status).toBe(1)
  })
})

/** As GET wallets reads them. */
async function balances(member: string) {
  const told = await createWalletReader(shop.pool, configurations()).read(shop.space, `external:${member}`)
  const [named] = await shop.sql('select member_id as member from members where external_id = $1', [member])
  const id = encodeId('mem', String(named?.member))
  return { rows: (told ?? []).map(({ available }) => ({ id, member: named?.member, available })) }
}
