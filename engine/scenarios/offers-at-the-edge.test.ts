import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** Offers of rewards whose booking would leave the range of exact whole numbers: told beforehand, as redeeming refuses it. */
const database = await openDatabase()
const MAX = Number.MAX_SAFE_INTEGER
const NAME = { program: 'coffee', name: 'A reward' }
let api: TestApi
const post = (path: string, body: object) => api.call('POST', `/v1${path}`, body)

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-06-16T09:00:00Z') })
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await made('/programs', { ...program, joinPolicy: 'explicit' })
  await made('/programs/coffee/wallets', { slug: 'miles', expiry: { kind: 'rolling', period: 'P30D' } })
  await made('/programs/coffee/wallets', { slug: 'stamps' })
})
afterAll(async () => {
  await api.close()
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

async function made(path: string, body: object): Promise<any> {
  const told = await post(path, body)
  expect(told.status, told.text).toBe(201)
  return told.body
}
const member = (externalId: string) => made('/members', { externalId })
const give = (who: string, wallet: string, points: number) =>
  made(`/members/external:${who}/adjust`, { wallet, points, reason: 'a present' })
const reward = (slug: string, more: object) => made('/rewards', { ...NAME, slug, kind: 'experience', ...more })
const conversion = (price: object, wallet: string, points: number) => ({
  kind: 'conversion',
  price,
  value: { kind: 'points', wallet, points },
})
async function offered(who: string, slug: string): Promise<any> {
  const { body } = await api.call('GET', `/v1/members/external:${who}/offers?limit=100`)
  return body.data.find((offer: any) => offer.reward.slug === slug)
}
const redeem = (who: string, slug: string) => post(`/members/external:${who}/redemptions`, { reward: slug })

async function agree(who: string, slug: string): Promise<string> {
  const offer = await offered(who, slug)
  const told = await redeem(who, slug)
  if (told.status === 201) expect([offer.can, offer.why, offer.price.spent]).toEqual([true, null, told.body.spent])
  else expect(offer).toMatchObject({ can: false, why: { code: told.body.code, detail: told.body.detail }, price: null })
  return told.status === 201 ? 'redeemed' : told.body.code
}

test('a conversion is not offered that would leave the range of its wallet', async () => {
  await member('ada')
  await give('ada', 'points', 100)
  await give('ada', 'stamps', MAX - 5)
  await reward('five', conversion({ points: 10 }, 'stamps', 5))
  expect(await agree('ada', 'five')).toBe('redeemed')
  expect(await agree('ada', 'five')).toBe('amount_out_of_range')
  const can = await api.call('GET', '/v1/members/external:ada/offers?can=true')
  expect(can.body.data.map((offer: any) => offer.reward.slug)).toEqual([])
})

test('nor is what would bring all that was ever spent beyond it', async () => {
  await member('bob')
  await give('bob', 'stamps', MAX)
  await give('bob', 'points', 100)
  await reward('all', { price: { stamps: MAX } })
  await reward('one', { price: { stamps: 1 } })
  await reward('more', conversion({ points: 10 }, 'stamps', 2))
  expect(await agree('bob', 'all')).toBe('redeemed')
  expect(await agree('bob', 'more')).toBe('redeemed')
  expect(await agree('bob', 'one')).toBe('amount_out_of_range')
})

test('points that are past their date make room, whether that is booked or not', async () => {
  await member('cat')
  await give('cat', 'points', 100)
  await give('cat', 'miles', MAX)
  await reward('fly', conversion({ points: 10 }, 'miles', 7))
  expect(await agree('cat', 'fly')).toBe('amount_out_of_range')
  vi.setSystemTime(Date.now() + 31 * 86_400_000)
  expect(await agree('cat', 'fly')).toBe('redeemed')
})

test('the condition of a reward reads the tiers that a member holds, in offers as when it is redeemed', async () => {
  await member('dan')
  const tiers = [{ slug: 'gold', name: 'Gold', threshold: 1_000_000 }]
  const ladder = { program: 'coffee', slug: 'club', name: 'Club', metric: { kind: 'spend' }, tiers }
  await made('/tier-ladders', { ...ladder, window: { kind: 'lifetime' }, upgrade: 'at_once', downgrade: 'none' })
  const value = { kind: 'dynamic', expression: "member.tiers.club == 'gold' ? 900 : 300" }
  await reward('lounge', { price: {}, visibility: { when: "member.tiers.club == 'gold'" } })
  await reward('cut', { kind: 'coupon', price: {}, value })
  expect(await agree('dan', 'lounge')).toBe('not_eligible')
  expect((await offered('dan', 'cut')).worth).toBe(300)
  await post('/members/external:dan/tiers/club', { tier: 'gold', reason: 'A friend of the house' })
  expect(await agree('dan', 'lounge')).toBe('redeemed')
  const { worth } = await offered('dan', 'cut')
  expect([worth, (await redeem('dan', 'cut')).body.value]).toEqual([900, { kind: 'amount', amount: 900 }])
})
