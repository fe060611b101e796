import { beforeAll, describe, expect, test } from 'vitest'
import { parseInstant } from '@laurel/contract/instants'
import { withTx } from './base/db.ts'
import { addKey, LIVE, openApi } from '../tests/api.ts'
import { NOW, openShop, type Shop } from '../tests/shop.ts'
import { changeWallet } from './configure-wallets.ts'
import { newId } from './base/ids.ts'
import { enroll } from './enroll.ts'
import type { OpenAsk } from './gate/asks.ts'
import { verify } from './verify.ts'

/** Balances that are brought along: lots with the dates that they had where they came from. */
let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  for (const externalId of ['ada', 'bob', 'cleo'])
    await withTx(shop.pool, shop.space, (tx) => enroll(tx, { externalId }, { now: NOW(), newId }))
})

const at = (text: string) => parseInstant(`${text}T00:00:00Z`) as number
const DAY = 86_400_000_000
const open = async (more: Partial<OpenAsk>) => {
  const outcome = await shop.gate.submit(shop.space, {
    verb: 'open',
    member: 'external:ada',
    program: 'coffee',
    wallet: 'points',
    points: 100,
    earnedAt: at('2025-03-01'),
    externalId: 'old-1',
    ...more,
  })
  return { status: outcome.status, body: JSON.parse(outcome.body) }
}
const entryOf = async (externalId: string) =>
  (
    await shop.sql(
      `select e.kind, e.points, (e.occurred_at at time zone 'UTC')::date::text as earned, (e.activates_at at time zone 'UTC')::date::text as begins,
              (e.expires_at at time zone 'UTC')::date::text as ends from entries e where external_id = $1`,
      [externalId],
    )
  )[0]
const wrong = async () => (await verify(shop.pool, shop.space)).wrong

describe('an opening balance', () => {
  test('is a lot that was earned then, and the same again is once', async () => {
    expect((await open({})).status).toBe(201)
    expect(await open({})).toMatchObject({ status: 200, body: { points: 100 } })
    expect(await entryOf('old-1')).toMatchObject({ kind: 14, points: '100', earned: '2025-03-01', ends: null })
    for (const more of [
      { points: 101 },
      { earnedAt: at('2025-03-02') },
      { member: 'external:bob' },
      { expiresAt: NOW() + DAY },
    ])
      expect((await open(more)).body.code).toBe('external_id_conflict')
    const [wallet] = await shop.wallets('external:ada')
    expect(wallet).toMatchObject({ available: 101, lifetimeEarned: 0, lifetimeAdjusted: 101 })
    expect(await wrong()).toBeUndefined()
  })

  test('has the dates that are said; without an end it ends as the wallet says, counted from when it was earned', async () => {
    const ends = at('2200-01-01')
    await open({ externalId: 'old-2', activatesAt: NOW() + 30 * DAY, expiresAt: ends })
    expect(await entryOf('old-2')).toMatchObject({ ends: '2200-01-01' })
    expect((await shop.wallets('external:ada'))[0]).toMatchObject({ pending: 100 })
    const settings = (period: string) =>
      withTx(shop.pool, shop.space, (tx) =>
        changeWallet(tx, { program: 'coffee', wallet: 'points' }, { expiry: { kind: 'rolling', period } }, undefined, {
          now: NOW(),
          newId,
        }),
      )
    await settings('P50Y')
    await open({ externalId: 'old-3' })
    expect(await entryOf('old-3')).toMatchObject({ ends: '2075-03-01' })
    await open({ externalId: 'old-4', expiresAt: 'never' })
    expect(await entryOf('old-4')).toMatchObject({ ends: null })
    await settings('P60Y')
    for (const externalId of ['old-1', 'old-3']) expect((await open({ externalId })).status).toBe(200)
    expect((await open({ externalId: 'old-4', expiresAt: 'never' })).status).toBe(200)
    expect((await open({ externalId: 'old-2', activatesAt: NOW() + 30 * DAY, expiresAt: ends })).status).toBe(409)
    await settings('P1Y')
    expect((await open({ externalId: 'old-5', earnedAt: at('2020-01-01') })).body.errors).toEqual([
      { pointer: '/expiresAt', detail: expect.stringMatching(/^has passed: by the wallet's settings .* 2021-01-01/) },
    ])
    expect((await open({ externalId: 'old-3' })).status).toBe(200)
    expect(await wrong()).toBeUndefined()
  })

  test.each<[string, Partial<OpenAsk>, string]>([
    ['unknown member', { member: 'external:nobody' }, 'member_unknown'],
    ['unknown wallet', { wallet: 'stamps' }, 'wallet_unknown'],
    ['earned in the future', { earnedAt: NOW() + DAY, expiresAt: 'never' }, 'invalid_request'],
    ['an end before it was earned', { expiresAt: at('2024-03-01') }, 'invalid_request'],
    ['an end before it begins', { activatesAt: NOW() + 2 * DAY, expiresAt: NOW() + DAY }, 'invalid_request'],
    ['a beginning before it was earned', { activatesAt: at('2025-02-01'), expiresAt: 'never' }, 'invalid_request'],
    ['an end that has passed', { expiresAt: at('2025-04-01') }, 'invalid_request'],
    ['a balance beyond 2^53', { points: Number.MAX_SAFE_INTEGER, expiresAt: 'never' }, 'amount_out_of_range'],
  ])('%s is refused, and nothing is booked', async (_, more, code) => {
    const before = await shop.sql('select count(*) from entries')
    expect((await open({ externalId: 'bad', ...more })).body.code).toBe(code)
    expect(await shop.sql('select count(*) from entries')).toEqual(before)
  })

  test('is told as an event, read as an entry, and explained', async () => {
    await addKey(shop, shop.space, LIVE)
    const api = await openApi(shop)
    const get = async (path: string) => (await api.call('GET', path)).body
    const told = (await get('/v1/events?limit=100')).data.filter((e: { type: string }) => e.type === 'points.opened')
    expect(told[0].data).toMatchObject({
      points: 100,
      balance: 100,
      source: { type: 'opening', id: expect.stringMatching(/^opn_/) },
    })
    const [entry] = (await get('/v1/members/external:ada/entries')).data.filter(
      (e: { kind: string }) => e.kind === 'open',
    )
    expect(await get(`/v1/entries/${entry.id}`)).toMatchObject({
      kind: 'open',
      from: 'opening',
      occurredAt: '2025-03-01T00:00:00.000Z',
      source: { type: 'opening', externalId: expect.stringMatching(/^old-/) },
    })
    const explained = await get('/v1/members/external:ada/wallets/points/explain?lang=en')
    expect(JSON.stringify(explained)).toContain(entry.id)
    expect(api.faults).toEqual([])
    await api.close()
  })

  test('fifty at once under one name are one', async () => {
    const ask = { externalId: 'race', member: 'external:bob', expiresAt: 'never' as const }
    const answers = await Promise.all(Array.from({ length: 50 }, () => open(ask)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array(49).fill(200), 201])
  })

  test.each<[string, string]>([
    ['points', 'update entries set points = points + 1, balance = balance + 1 where kind = 14 and external_id = $1'],
    [
      'earnedAt',
      "update entries set occurred_at = occurred_at - interval '1 day' where kind = 14 and external_id = $1",
    ],
    [
      'a name',
      `delete from lookups where seq = (select seq from entries where external_id = $1) and member_id = (select member_id from entries where external_id = $1)`,
    ],
  ])('verify names one whose %s was altered', async (_, sql) => {
    const other = await openShop()
    await withTx(other.pool, other.space, (tx) => enroll(tx, { externalId: 'ada' }, { now: NOW(), newId }))
    const mine = shop
    shop = other
    await open({})
    expect(await wrong()).toBeUndefined()
    await other.sql(sql, ['old-1'])
    expect((await wrong())?.what).toMatch(/^(entry|state) /)
    shop = mine
  })
})
