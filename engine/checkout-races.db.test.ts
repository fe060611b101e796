import { beforeAll, describe, expect, test } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { atOnce, dropEntryKeys, openPair, type Pair, send } from '../tests/pair.ts'
import { door } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { createVoucher } from './configure-vouchers.ts'
import { configurations } from './earning/configuration.ts'
import type { Ask } from './gate/asks.ts'
import { verify } from './verify.ts'
import { currentConfiguration } from './views/current.ts'

let careful: Pair
/** Versions are not compared, and nothing keeps an entry's number from being used twice. */
let careless: Pair

beforeAll(async () => {
  careful = await openPair(false)
  careless = await openPair(true)
  await dropEntryKeys(careless)
  for (const { shop } of [careful, careless]) {
    await shop.sql(`update wallets set settings = settings || '{"pays": {"points": 1, "amount": 100}}'`)
    await shop.sql('update spaces set config_version = config_version + 1')
  }
})

const codeOf = (told: { status: number; body: any }) => told.body.code ?? told.body.status
const wrong = async ({ shop }: Pair) => (await verify(shop.pool, shop.space)).wrong?.what

let n = 0
/** Somebody new who has a hundred points. */
async function rich({ shop }: Pair): Promise<string> {
  return (await shop.buy(`b-${++n}`, `external:m${n}`, 10_000)).body.member
}
const order = (
  member: string,
  externalId: string,
  amount: number,
  most: number | 'max' = 'max',
  codes: string[] = [],
): Ask => ({
  verb: 'reserve',
  program: 'coffee',
  member,
  externalId,
  order: { currency: 'GBP', items: [{ sku: 'BEANS', quantity: 1, amount }] },
  codes,
  policy: 'all',
  sequence: 'asked',
  points: { points: most },
  minutes: 15,
})
/** An order of sixty pounds that sixty points pay; and asks that end it. */
async function reserved(pair: Pair) {
  const externalId = `o-${++n}`
  const { body } = await send(pair.gates[0], pair.shop, order(await rich(pair), externalId, 6000))
  const of = {
    member: body.member as string,
    checkout: decodeId('chk', body.id) ?? '',
    programId: 1,
    externalId,
    codes: [],
  }
  const commit = (): Ask => ({ verb: 'commitCheckout', ...of })
  const voids = (): Ask => ({ verb: 'voidCheckout', ...of })
  return { ...of, commit, voids }
}
async function state({ shop }: Pair, member: string) {
  const [row] = await shop.sql(
    `select (select coalesce(sum(points), 0)::int from entries where member_id = $1 and kind = 2) as spent,
            (select count(*)::int from purchases where member_id = $1 and external_id like 'o-%') as purchases`,
    [decodeId('mem', member)],
  )
  return { spent: Number(row?.spent), purchases: Number(row?.purchases) }
}

describe('a checkout that twenty tills commit at once', () => {
  async function commits(pair: Pair) {
    const one = await reserved(pair)
    const told = await atOnce(pair, 20, one.commit)
    return { told: new Set(told.map(codeOf)), ...(await state(pair, one.member)) }
  }
  test('is committed once', async () => {
    expect(await commits(careful)).toEqual({ told: new Set(['committed']), spent: 60, purchases: 1 })
    expect(await wrong(careful)).toBeUndefined()
  })
  test('and twice or more where versions are not compared', async () => {
    const { spent } = await commits(careless)
    expect(spent).toBeGreaterThan(60)
  })
})

test('commits and voids at once: one kind of them wins, and what it says is so', async () => {
  for (let round = 0; round < 6; round++) {
    const one = await reserved(careful)
    const told = await atOnce(careful, 20, (i) => (i % 2 === (round & 1) ? one.commit() : one.voids()))
    const outcomes = new Set(told.map(codeOf))
    const committed = outcomes.has('committed')
    expect(outcomes).toEqual(new Set([committed ? 'committed' : 'voided', 'checkout_closed']))
    const spent = committed ? 60 : 0
    expect(await state(careful, one.member)).toEqual({ spent, purchases: committed ? 1 : 0 })
  }
  expect(await wrong(careful)).toBeUndefined()
})

test('points for one order are reserved for one order, however many tills ask', async () => {
  const member = await rich(careful)
  const told = await atOnce(careful, 20, (i) => order(member, `p-${++n}-${i}`, 10_000, 100))
  expect(told.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(told.filter((one) => one.body.code === 'insufficient_points')).toHaveLength(19)
})

test('the same reservation from twenty tills is one', async () => {
  const member = await rich(careful)
  const told = await atOnce(careful, 20, () => order(member, 'same', 3000))
  expect(told.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(new Set(told.map(({ body }) => body.id)).size).toBe(1)
  expect(told[0]?.body.wallets[0]).toMatchObject({ available: 70, held: 30 })
  expect(await wrong(careful)).toBeUndefined()
})

describe('a voucher for one use that twenty members want at twenty tills', () => {
  async function reserves(pair: Pair) {
    const { shop } = pair
    const code = `ONLY-${++n}`
    const value = { kind: 'amount', amount: 500 } as const
    await withTx(shop.pool, shop.space, async (tx) => {
      const configuration = await currentConfiguration(tx, configurations())
      const said = { program: 'coffee', code, value, uses: { total: 1 } }
      await createVoucher(tx, said, {}, { ...door(), chance: '0'.repeat(32), configuration })
    })
    const members = await Promise.all(Array.from({ length: 20 }, () => rich(pair)))
    const told = await atOnce(pair, 20, (i) => order(members[i] ?? '', `v-${++n}-${i}`, 1000, 'max', [code]))
    return told
  }
  test('is reserved for one, who pays with it', async () => {
    const told = await reserves(careful)
    const [won, ...others] = told.filter(({ status }) => status === 201)
    expect(others).toEqual([])
    expect(told.filter((one) => one.body.code === 'voucher_locked')).toHaveLength(19)
    const { id, member, externalId, vouchers } = won?.body ?? {}
    const checkout = decodeId('chk', id) ?? ''
    const codes = vouchers.map((one: { code: string }) => one.code)
    const done = await atOnce(careful, 20, () => ({
      verb: 'commitCheckout',
      member,
      checkout,
      programId: 1,
      externalId,
      codes,
    }))
    expect(new Set(done.map(codeOf))).toEqual(new Set(['committed']))
    expect((await careful.shop.sql('select used from vouchers order by created_at desc limit 1'))[0]).toEqual({
      used: 1,
    })
    expect(await wrong(careful)).toBeUndefined()
  })
  test('and for several where versions are not compared', async () => {
    const told = await reserves(careless)
    expect(told.filter(({ status }) => status === 201).length).toBeGreaterThan(1)
  })
})
