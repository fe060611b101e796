import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { inTurn, twoGates } from '../tests/pair.ts'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { type Db, withRead, withTx } from './base/db.ts'
import { blockVoucher, createVoucher } from './configure-vouchers.ts'
import { codeKey } from './base/codes.ts'
import { configurations } from './earning/configuration.ts'
import type { Ask, VouchersOnOrder } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { voucherRedemptionKey } from './gate/names.ts'
import { locksOfVouchers } from './vouchers/vouchers.sql.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'

/** Two processes to the database: tills that ask of the same vouchers at once. */
let shop: Shop
let gates: [Gate, Gate]
let careless: [Gate, Gate]

beforeAll(async () => {
  shop = await openShop()
  gates = twoGates(shop)
  careless = twoGates(shop, { unguarded: true })
  for (const name of ['ada', 'bea']) await shop.buy(`first-${name}`, `external:${name}`, 100)
})

const known = configurations()
const fixed = async (tx: Parameters<typeof createVoucher>[0]) => ({
  ...door(),
  chance: 'ab'.repeat(16),
  configuration: await currentConfiguration(tx, known),
})
async function made(code: string, value: object, more: object = {}): Promise<void> {
  await withTx(shop.pool, shop.space, async (tx) => {
    const body = { program: 'coffee', code, value: value as never, ...more }
    await createVoucher(tx, body, {}, await fixed(tx))
  })
}
const send = async (gate: Gate, ask: Ask) => {
  const { status, body } = await gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body), code: JSON.parse(body).code as string | undefined }
}
const order = (codes: string[], amount = 1000): VouchersOnOrder => ({
  program: 'coffee',
  codes,
  order: { currency: 'GBP', items: [{ sku: 'beans', quantity: 1, amount }] },
  policy: 'all',
  sequence: 'asked',
})
const redeem = (codes: string[], externalId: string, more: object = {}, amount = 1000): Ask => ({
  verb: 'redeemVouchers',
  ...order(codes, amount),
  externalId,
  ...more,
})
const lock = (codes: string[], session: string): Ask => ({
  verb: 'lockVouchers',
  ...order(codes),
  session,
  minutes: 10,
})
const rollBack = (externalId: string, more: object = {}): Ask => ({
  verb: 'rollBackVouchers',
  redemption: voucherRedemptionKey(externalId),
  ...more,
})
const tills = <T>(n: number, work: (gate: Gate, i: number) => Promise<T>) => inTurn(gates, n, work)
const stored = async (code: string) =>
  (await shop.sql('select used, balance::int, version from vouchers where code = $1', [code]))[0]
const told = async (type: string, word: string): Promise<number> => {
  const [row] = await shop.sql(
    'select count(*)::int as n from outbox, json_array_elements(events::json) e where e->>0 = $1 and (e->>3) like $2',
    [type, `%"${word}"%`],
  )
  return Number(row?.n)
}
const count = (answers: { status: number; code: string | undefined }[], of: number | string) =>
  answers.filter(({ status, code }) => (typeof of === 'number' ? status === of : code === of)).length
const wrong = async () => (await verify(shop.pool, shop.space)).wrong
const AMOUNT = { kind: 'amount', amount: 100 }

describe('20 tills at once', () => {
  it('redeem the same voucher: one does', async () => {
    await made('ONE', AMOUNT)
    const answers = await tills(20, (gate, i) => send(gate, redeem(['ONE'], `one-${i}`)))
    expect([count(answers, 201), count(answers, 'voucher_used_up')]).toEqual([1, 19])
    expect(await stored('ONE')).toMatchObject({ used: 1 })
  })

  it('lock the same voucher: one does, and only that one can redeem it', async () => {
    await made('LOCKED', AMOUNT)
    const answers = await tills(20, (gate, i) => send(gate, lock(['LOCKED'], `till-${i}`)))
    expect([count(answers, 200), count(answers, 'voucher_locked')]).toEqual([1, 19])
    const redeemed = await tills(20, (gate, i) =>
      send(gate, redeem(['LOCKED'], `locked-${i}`, { session: `till-${i}` })),
    )
    expect([count(redeemed, 201), redeemed.findIndex(({ status }) => status === 201)]).toEqual([
      1,
      answers.findIndex(({ status }) => status === 200),
    ])
  })

  it('roll the same redemption back: the use and the balance come back once', async () => {
    await made('BACK', AMOUNT)
    await made('BACKCARD', { kind: 'gift', balance: 700 })
    await send(gates[0], redeem(['BACK', 'BACKCARD'], 'back', {}, 500))
    const answers = await tills(20, (gate) => send(gate, rollBack('back')))
    expect(count(answers, 200)).toBe(20)
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    expect([await stored('BACK'), await stored('BACKCARD')]).toMatchObject([{ used: 0 }, { used: 0, balance: 700 }])
    expect(await told('voucher.rolled_back', 'back')).toBe(1)
  })

  it('roll so much back each: no more than was taken', async () => {
    await made('PARTS', { kind: 'gift', balance: 700 })
    await send(gates[0], redeem(['PARTS'], 'parts', {}, 500))
    const answers = await tills(20, (gate, i) =>
      send(gate, rollBack('parts', { amount: 100, externalId: `p${i % 10}` })),
    )
    const [fresh, over] = [count(answers, 200), count(answers, 'refund_exceeds_spend')]
    expect(fresh + over).toBe(20)
    expect(await stored('PARTS')).toMatchObject({ used: 0, balance: 700 })
    expect(await told('voucher.rolled_back', 'parts')).toBe(5)
  })

  it('lock, redeem and roll back the same voucher: one outcome at a time, and the books agree', async () => {
    await made('MIXED', AMOUNT)
    for (let round = 0; round < 10; round++) {
      const name = (i: number) => `mixed-${round}-${i}`
      const answers = await tills(20, (gate, i) => {
        if (i % 3 === 0) return send(gate, lock(['MIXED'], name(i)))
        if (i % 3 === 1) return send(gate, redeem(['MIXED'], name(i), { session: name(i - 1) }))
        return send(gate, rollBack(name(i - 1)))
      })
      expect(answers.every(({ status }) => status < 500)).toBe(true)
      const used = await shop.sql(
        "select count(*)::int as n from voucher_uses u join vouchers v using (space_id, code_key) where code = 'MIXED' and not undone",
      )
      expect(used).toEqual([{ n: (await stored('MIXED'))?.used }])
      await tills(20, (gate, i) => send(gate, rollBack(name(i))))
      await tills(20, (gate, i) => send(gate, { verb: 'unlockVouchers', program: 'coffee', session: name(i) }))
      expect(await stored('MIXED')).toMatchObject({ used: 0 })
    }
  })

  it('the same redemption, asked again and again, is one', async () => {
    await made('AGAIN', AMOUNT)
    const answers = await tills(20, (gate) => send(gate, redeem(['AGAIN'], 'again')))
    expect([count(answers, 201), count(answers, 200)]).toEqual([1, 19])
  })
})

describe('what is shared', () => {
  it('60 tills pay with a gift card for ten', async () => {
    await made('CARD', { kind: 'gift', balance: 1000 })
    const answers = await tills(60, (gate, i) => send(gate, redeem(['CARD'], `card-${i}`, {}, 100)))
    expect([count(answers, 201), count(answers, 'voucher_used_up')]).toEqual([10, 50])
    expect(await stored('CARD')).toMatchObject({ used: 10, balance: 0 })
  })

  it('so many locks as there are uses', async () => {
    await made('FIVE', AMOUNT, { uses: { total: 5 } })
    const answers = await tills(50, (gate, i) => send(gate, lock(['FIVE'], `five-${i}`)))
    expect([count(answers, 200), count(answers, 'voucher_locked')]).toEqual([5, 45])
  })

  it('once a member, on however many tills', async () => {
    await made('MEMBER', AMOUNT, { uses: { perMember: 1 } })
    const answers = await tills(50, (gate, i) =>
      send(gate, redeem(['MEMBER'], `member-${i}`, { member: i % 4 < 2 ? 'external:ada' : 'external:bea' })),
    )
    expect([count(answers, 201), count(answers, 'voucher_used_up')]).toEqual([2, 48])
  })

  it('vouchers named in any order lock nobody out', async () => {
    for (const code of ['X', 'Y', 'Z']) await made(code, AMOUNT, { uses: {} })
    const orders = [
      ['X', 'Y', 'Z'],
      ['Z', 'Y', 'X'],
      ['Y', 'Z'],
      ['Z', 'X'],
    ]
    const answers = await tills(200, (gate, i) => send(gate, redeem(orders[i % 4] as string[], `any-${i}`)))
    expect(count(answers, 201)).toBe(200)
    expect(await stored('X')).toMatchObject({ used: 150 })
  })

  it('a voucher that is blocked meanwhile is used by nobody after', async () => {
    await made('BLOCKED', AMOUNT, { uses: {} })
    const asked = tills(40, (gate, i) => send(gate, redeem(['BLOCKED'], `blocked-${i}`)))
    await withTx(shop.pool, shop.space, async (tx) =>
      blockVoucher(tx, 'code:BLOCKED', { blocked: true, reason: 'Stolen' }, await fixed(tx)),
    )
    const answers = await asked
    expect(count(answers, 201) + count(answers, 'voucher_not_applicable')).toBe(40)
    expect(await stored('BLOCKED')).toMatchObject({ used: count(answers, 201) })
    expect((await send(gates[0], redeem(['BLOCKED'], 'blocked-late'))).code).toBe('voucher_not_applicable')
  })

  it('and the books agree', async () => {
    expect(await wrong()).toBeUndefined()
  })
})

/**
 * Two tills whose asks have both been read and decided before either is saved: the vouchers' rows are held until then. Not a matter of luck:
 * what a guard is for happens every time.
 */
async function atOnce(code: string, of: [Gate, Gate], asks: [Ask, Ask]) {
  const { answers } = await withTx(shop.pool, shop.space, async (tx) => {
    await tx.query('select from vouchers where code like $1 order by code_key for update', [`${code}%`])
    const sent = Promise.all(asks.map((ask, i) => send(of[i] as Gate, ask)))
    for (let i = 0; i < 250 && (await waiting()) < asks.length; i++) await sleep(20)
    return { answers: sent }
  })
  return await answers
}
/** How many wait for what another has: they have read, and would save. */
const waiting = async () =>
  Number(
    (
      await shop.sql(
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
    )[0]?.n,
  )

describe.each([
  ['guarded', () => gates, 1],
  ['the control, without the guard', () => careless, 2],
] as const)('two tills, read before either is saved: %s', (name, of, times) => {
  const word = name.slice(0, 3).toUpperCase()

  it(`redeem a voucher: ${times}`, async () => {
    await made(`${word}R`, AMOUNT)
    const answers = await atOnce(`${word}R`, of(), [
      redeem([`${word}R`], `${word}r1`),
      redeem([`${word}R`], `${word}r2`),
    ])
    expect(count(answers, 201)).toBe(times)
  })

  it(`lock a voucher: ${times}`, async () => {
    await made(`${word}L`, AMOUNT)
    const answers = await atOnce(`${word}L`, of(), [lock([`${word}L`], `${word}l1`), lock([`${word}L`], `${word}l2`)])
    expect(count(answers, 200)).toBe(times)
  })

  it(`roll a redemption back: ${times}`, async () => {
    await made(`${word}B`, { kind: 'gift', balance: 500 })
    await send(gates[0], redeem([`${word}B`], `${word}b`))
    await atOnce(`${word}B`, of(), [rollBack(`${word}b`), rollBack(`${word}b`)])
    expect(await told('voucher.rolled_back', `${word}b`)).toBe(times)
  })

  it(`roll back different vouchers of a redemption: ${times === 1 ? 'both are remembered' : 'one is forgotten'}`, async () => {
    for (const one of ['1', '2']) await made(`${word}D${one}`, AMOUNT)
    await send(gates[0], redeem([`${word}D1`, `${word}D2`], `${word}d`))
    await atOnce(`${word}D`, of(), [
      rollBack(`${word}d`, { codes: [`${word}D1`] }),
      rollBack(`${word}d`, { codes: [`${word}D2`] }),
    ])
    const [row] = await shop.sql(
      'select json_array_length(rolled_back::json) as n from voucher_redemptions where external_id = $1',
      [`${word}d`],
    )
    expect(row?.n).toBe(times === 1 ? 2 : 1)
  })

  it('and verify says whether the books agree', async () => {
    expect((await wrong()) === undefined).toBe(times === 1)
  })
})

it('a code without a limit that thousands have locked: one who uses it reads its own locks', async () => {
  await made('CROWD', AMOUNT, { uses: { total: null, perMember: 1 } })
  await shop.sql(`insert into voucher_locks select space_id, code_key, md5(n::text)::uuid, 's' || n, md5(n::text)::uuid, now() + '1 h', null, row_digest
    from vouchers, generate_series(1, 5000) n where code = 'CROWD'`)
  await shop.sql('analyze voucher_locks')
  const key = codeKey('CROWD')
  const own = '11111111-1111-1111-1111-111111111111'
  const plan = await withRead(shop.pool, shop.space, async (db) => {
    let seen = ''
    const query = async (text: string, values?: readonly unknown[]) => {
      seen = JSON.stringify(await db.query(`explain (analyze, timing off) ${text}`, values))
      return []
    }
    await locksOfVouchers({ ...db, space: shop.space, query } as unknown as Db, [key], [own], [own])
    return seen
  })
  expect(plan).toContain('voucher_locks_of_member')
  expect(plan).not.toMatch(/actual rows=5\d{3}/)
  await shop.sql("delete from voucher_locks where session like 's%' and until > now() + '50 min'")
})
