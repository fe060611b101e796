import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '@laurel/engine/base/ids'
import { createGate } from '@laurel/engine/gate/gate'
import { verify } from '@laurel/engine/verify'
import { openShop, type Shop } from '../../tests/shop.ts'
import { importBalances, type BalancesOptions } from './balances.ts'
import { SILENT } from './import-for-tests.ts'
import { importMembersFile, type MembersOptions } from './members.ts'
import { balancesMap } from './balances-map.ts'
import { parseAs } from './map.ts'
import { membersMap, readMembersMap } from './members-map.ts'
import { refusedFile } from './refused.ts'
import type { TableTally } from './table.ts'

/** examples/moving-in has every oddity that we know; what must come out of it was read off the files by eye. */
const EXAMPLE = join(import.meta.dirname, '../../examples/moving-in')
const folder = mkdtempSync(join(tmpdir(), 'laurel-moving-'))
const file = (name: string) => join(folder, name)
let shop: Shop
let first: TableTally
let opened: TableTally

async function members(into: Shop, path: string, more: Partial<MembersOptions> = {}): Promise<TableTally> {
  const refused = await refusedFile(`${path}.refused.csv`, 'member')
  const map = await readMembersMap(join(EXAMPLE, 'members.json'))
  try {
    return await importMembersFile({
      path,
      map,
      into: { pool: into.pool, space: into.space, newId },
      update: false,
      refused,
      progress: SILENT,
      ...more,
    })
  } finally {
    await refused.close()
  }
}

async function balances(into: Shop, path: string, more: Partial<BalancesOptions> = {}): Promise<TableTally> {
  const refused = await refusedFile(`${path}.refused.csv`, 'balance')
  const gate = createGate({ pool: into.pool })
  try {
    return await importBalances({
      path,
      map: undefined,
      program: 'coffee',
      submit: (ask) => gate.submit(into.space, ask, {}, 'bulk'),
      refused,
      progress: SILENT,
      ...more,
    })
  } finally {
    await refused.close()
    await gate.close()
  }
}

/** Everything that is stored, without what differs from run to run. */
async function stateOf({ sql }: Shop): Promise<string[]> {
  const rows = [
    ...(await sql(
      `select m.external_id, email, phone, name, birth_date::text, locale, attributes, m.status, m.revision, s.status as code, s.version,
              entry_seq, event_seq, wallets from members m join member_states s using (member_id)`,
    )),
    ...(await sql(
      `select m.external_id, e.external_id as name, seq, points, balance, occurred_at, expires_at
         from entries e join members m using (member_id)`,
    )),
  ]
  return rows.map((row) => JSON.stringify(row).replaceAll(/"u":\d+/g, '')).sort()
}

const refusedLines = (path: string) =>
  Object.fromEntries(
    readFileSync(`${path}.refused.csv`, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',', 2) as [string, string]),
  )

beforeAll(async () => {
  for (const name of ['members.csv', 'balances.csv']) copyFileSync(join(EXAMPLE, name), file(name))
  shop = await openShop()
  first = await members(shop, file('members.csv'))
  opened = await balances(shop, file('balances.csv'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('members', () => {
  test('are enrolled with all that the file says of them', async () => {
    expect(Object.fromEntries(first.counts)).toEqual({ enrolled: 5 })
    const rows = await shop.sql(
      `select external_id, email, phone, name, birth_date::text as born, locale, attributes, m.status, s.status as code,
              (m.created_at at time zone 'UTC')::text as joined, m.updated_at = m.created_at as unchanged
         from members m join member_states s using (member_id) order by 1`,
    )
    expect(rows.slice(0, 3)).toEqual([
      {
        external_id: 'C-1001',
        email: 'ada@example.com',
        phone: '+441632960961',
        name: 'Ada Lovelace',
        born: '1985-12-10',
        locale: 'en-GB',
        attributes: { tier: 'gold', visits: 42, newsletter: true },
        status: 'active',
        code: 1,
        joined: '2019-03-01 10:00:00',
        unchanged: true,
      },
      expect.objectContaining({ external_id: 'C-1002', joined: '2020-07-15 17:30:00', email: 'GRACE@EXAMPLE.COM' }),
      expect.objectContaining({ external_id: 'C-1003', name: 'Turing', status: 'suspended', code: 2, attributes: {} }),
    ])
    expect(rows[3]).toMatchObject({ name: 'Katherine Johnson, née Coleman', attributes: { newsletter: true } })
    expect(rows[4]).toMatchObject({ status: 'closed', code: 3, attributes: { newsletter: false, visits: 3 } })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  test('each row that is refused is named by its line, and every row is counted', () => {
    expect(refusedLines(file('members.csv'))).toEqual({
      7: 'external_id_missing',
      9: 'row_ragged',
      10: 'member_invalid',
      11: 'member_invalid',
      12: 'time_invalid',
      13: 'status_invalid',
      14: 'time_invalid',
      15: 'number_invalid',
      16: 'already_exists',
      17: 'row_repeated',
    })
    expect(Object.fromEntries(first.skipped)).toEqual({ 'test rows': 1 })
    const refused = [...first.refused.values()].reduce((a, b) => a + b, 0)
    expect([first.rows, first.taken + 1 + refused]).toEqual([16, 16])
  })

  test('again change nothing', async () => {
    const before = await stateOf(shop)
    const again = await members(shop, file('members.csv'))
    expect(Object.fromEntries(again.counts)).toEqual({ alreadyThere: 5 })
    expect([...again.refused]).toEqual([...first.refused])
    expect(await stateOf(shop)).toEqual(before)
  })

  test('of whom the file says something else are refused, or changed where that is asked for', async () => {
    const other = await openShop()
    await members(other, file('members.csv'))
    const changed = readFileSync(file('members.csv'), 'utf8')
      .replace('Grace,Hopper,GRACE@EXAMPLE.COM', 'Grace B.,Hopper,grace@example.com')
      .replace('kj@example.com', '')
      .replace('gold,42,yes', 'gold,43,')
    writeFileSync(file('changed.csv'), changed)
    const before = await stateOf(other)
    const refused = await members(other, file('changed.csv'))
    expect(refusedLines(file('changed.csv'))).toMatchObject({ 2: 'member_changed', 3: 'member_changed' })
    expect(Object.fromEntries(refused.counts)).toEqual({ alreadyThere: 3 })
    expect(await stateOf(other)).toEqual(before)
    const updated = await members(other, file('changed.csv'), { update: true })
    expect(Object.fromEntries(updated.counts)).toEqual({ alreadyThere: 3, updated: 2 })
    const [ada, grace, , katherine] = await other.sql(
      'select name, email, attributes from members order by external_id',
    )
    expect(ada?.attributes).toEqual({ tier: 'gold', visits: 43, newsletter: true })
    expect(grace).toMatchObject({ name: 'Grace B. Hopper', email: 'grace@example.com' })
    expect(katherine?.email).toBe('kj@example.com')
    expect(Object.fromEntries((await members(other, file('changed.csv'), { update: true })).counts)).toEqual({
      alreadyThere: 5,
    })
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
  })

  test('imported by two at once are one each', async () => {
    const other = await openShop()
    const rows = Array.from({ length: 3_000 }, (_, i) => `${i}.0,M,${i},m${i}@example.com,,,,A,2021-01-01 00:00,,,`)
    const header = readFileSync(file('members.csv'), 'utf8').split('\n', 1)[0]
    for (const name of ['one.csv', 'two.csv']) writeFileSync(file(name), [header, ...rows, ''].join('\n'))
    const [one, two] = await Promise.all([members(other, file('one.csv')), members(other, file('two.csv'))])
    expect((one.counts.get('enrolled') ?? 0) + (two.counts.get('enrolled') ?? 0)).toBe(3_000)
    expect((one.counts.get('alreadyThere') ?? 0) + (two.counts.get('alreadyThere') ?? 0)).toBe(3_000)
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
  })
})

describe('opening balances', () => {
  test('are lots of their own, each with its dates', async () => {
    expect(Object.fromEntries(opened.counts)).toEqual({ opened: 4, points: 450 })
    const lots = await shop.sql(
      `select e.external_id as name, m.external_id as member, kind, points, (e.occurred_at at time zone 'UTC')::text as earned,
              e.activates_at > e.booked_at as pending, (e.expires_at at time zone 'UTC')::date::text as ends
         from entries e join members m using (member_id) order by 1`,
    )
    expect(lots).toEqual([
      {
        name: 'B-1',
        member: 'C-1001',
        kind: 14,
        points: '250',
        earned: '2024-05-01 10:00:00',
        pending: false,
        ends: null,
      },
      {
        name: 'B-15',
        member: 'C-1003',
        kind: 14,
        points: '60',
        earned: '2025-02-01 00:00:00',
        pending: false,
        ends: null,
      },
      {
        name: 'B-2',
        member: 'C-1001',
        kind: 14,
        points: '100',
        earned: '2025-06-01 10:00:00',
        pending: false,
        ends: '2199-06-01',
      },
      {
        name: 'B-3',
        member: 'C-1002',
        kind: 14,
        points: '40',
        earned: '2025-01-15 11:00:00',
        pending: true,
        ends: null,
      },
    ])
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  test('each row that is refused is named by its line', () => {
    expect(refusedLines(file('balances.csv'))).toEqual({
      5: 'wallet_missing',
      6: 'member_unknown',
      7: 'points_invalid',
      8: 'points_invalid',
      9: 'points_invalid',
      10: 'invalid_request',
      11: 'invalid_request',
      12: 'wallet_unknown',
      13: 'time_invalid',
      14: 'time_invalid',
      15: 'external_id_missing',
      16: 'row_repeated',
      17: 'member_suspended',
    })
    expect(opened.rows).toBe(17)
  })

  test('again change nothing; with other content they are refused', async () => {
    const before = await stateOf(shop)
    const again = await balances(shop, file('balances.csv'))
    expect(Object.fromEntries(again.counts)).toEqual({ alreadyThere: 4, pointsAlreadyThere: 450 })
    expect([...again.refused]).toEqual([...opened.refused])
    writeFileSync(file('other.csv'), readFileSync(file('balances.csv'), 'utf8').replace('points,250', 'points,251'))
    await balances(shop, file('other.csv'))
    expect(refusedLines(file('other.csv'))).toMatchObject({ 2: 'external_id_conflict' })
    expect(await stateOf(shop)).toEqual(before)
  })

  test('go into one wallet where the command says so, and a dry run stores nothing', async () => {
    const dry = await balances(shop, file('balances.csv'), { submit: undefined })
    expect([dry.rows, dry.taken, dry.counts.size]).toEqual([17, 9, 0])
    const all = await balances(await openShop(), file('balances.csv'), { wallet: 'stamps' })
    expect(all.refused.get('member_unknown')).toBeUndefined()
    expect(all.refused.get('wallet_unknown')).toBe(10)
  })

  test('stopped half way and run again end like a run without a stop', async () => {
    const other = await openShop()
    await members(other, file('members.csv'))
    for (const after of [2, 5]) {
      const stop = new AbortController()
      let shown = 0
      const progress = { show: () => void (++shown === after && stop.abort()), end() {} }
      expect((await balances(other, file('balances.csv'), { stop: stop.signal, progress })).stopped).toBeDefined()
    }
    await balances(other, file('balances.csv'))
    expect((await stateOf(other)).length).toBe((await stateOf(shop)).length)
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
  })
})

describe('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/import.md'), 'utf8')
  const block = (kind: string) => new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1] ?? ''

  test('shows files and maps that do what it says', async () => {
    const other = await openShop()
    for (const name of ['members', 'balances']) writeFileSync(file(`guide-${name}.csv`), block(`csv ${name}`))
    const map = parseAs(membersMap, block('json members'), 'the guide')
    expect(map).toEqual(await readMembersMap(join(EXAMPLE, 'members.json')))
    const joined = await members(other, file('guide-members.csv'), { map })
    expect([joined.counts.get('enrolled'), joined.refused.size]).toEqual([2, 0])
    const brought = await balances(other, file('guide-balances.csv'))
    expect([brought.counts.get('opened'), brought.counts.get('points'), brought.refused.size]).toEqual([3, 390, 0])

    const lots = file('lots.csv')
    writeFileSync(
      lots,
      'LotNo,CustomerNo,Points,Earned,Ends\n1,2001.0,50,01/06/2025,31/12/2199\n2,2002,60,02/06/2025,never\n',
    )
    const mapped = await balances(other, lots, { map: parseAs(balancesMap, block('json balances'), 'the guide') })
    expect([mapped.counts.get('opened'), mapped.refused.size]).toEqual([2, 0])
    expect((await verify(other.pool, other.space)).wrong).toBeUndefined()
  })
})
