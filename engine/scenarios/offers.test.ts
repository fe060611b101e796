import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { type Db, withRead } from '../base/db.ts'
import { configurations } from '../earning/configuration.ts'
import { verify } from '../verify.ts'
import { listOffers } from '../views/offers.ts'
import { SEED } from '../../tests/seed.ts'

/** What is offered is what can be redeemed: rewards, members and points drawn at random, every offer taken at its word. */
const database = await openDatabase()
const STEPS = 250
const MEMBERS = ['ada', 'bob', 'cat', 'dan']
let api: TestApi
let state = SEED

/** Small whole numbers, the same for the same seed. */
function below(n: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
  return Math.floor((state / 0x80000000) * n)
}
const oneOf = <T>(all: readonly T[]): T => all[below(all.length)] as T
const maybe = <T extends object>(terms: T, often = 3): T | object => (below(often) === 0 ? terms : {})

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-06-16T09:00:00Z') }) // nine in the evening, in Auckland
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  await made('/programs', {
    slug: 'coffee',
    name: 'Coffee',
    timezone: 'Pacific/Auckland',
    currency: 'NZD',
    joinPolicy: 'explicit',
  })
  await made('/programs/coffee/wallets', { slug: 'stamps', unit: 'stamps', target: 10 })
  await made('/programs/coffee/wallets', { slug: 'miles' })
  const tiers = [{ slug: 'gold', name: 'Gold', threshold: 1_000_000 }]
  const ladder = { program: 'coffee', slug: 'club', name: 'Club', metric: { kind: 'spend' }, tiers }
  await made('/tier-ladders', { ...ladder, window: { kind: 'lifetime' }, upgrade: 'at_once', downgrade: 'none' })
  await made('/code-pools', { program: 'coffee', slug: 'short', name: 'Short', reusable: true })
  const [{ id }] = (await api.call('GET', '/v1/code-pools')).body.data
  await api.call('POST', `/v1/code-pools/${id}/codes`, { codes: Array.from({ length: 12 }, (_, i) => `SHORT${i}`) })
  for (const [i, externalId] of MEMBERS.entries())
    await made('/members', { externalId, ...(i % 2 ? { email: `${externalId}@example.com` } : {}) })
  await api.call('POST', '/v1/members/external:ada/tiers/club', { tier: 'gold', reason: 'She is' })
  for (let i = 0; i < 24; i++) await made('/rewards', reward(i))
})
afterAll(async () => {
  await api.close()
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  expect(api.faults).toEqual([])
})

async function made(path: string, body: unknown): Promise<void> {
  const told = await api.call('POST', `/v1${path}`, body)
  expect(told.status, told.text).toBe(201)
}

function reward(i: number): object {
  const cost = () => oneOf([{}, { points: 1 + below(80) }, { stamps: 1 + below(4) }, { points: 20, stamps: 2 }])
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const visibility = {
    ...maybe({ tiers: { club: ['gold'] } }, 6),
    ...maybe({ stores: ['Soho'] }, 5),
    ...maybe({ when: oneOf(['member.hasEmail', "member.tiers.club == 'gold'"]) }, 5),
    ...maybe({ startsAt: day(below(3) - 1) }, 6),
    ...maybe({ endsAt: day(2 + below(3)) }, 6),
  }
  const stock = {
    ...maybe({ total: below(12) }),
    ...maybe({ perMember: oneOf([1, 2, { per: 'day', times: 2 }]) }),
    ...maybe({ perPeriod: { per: oneOf(['day', 'week', 'month', 'year']), total: 1 + below(6) } }),
  }
  const value = { kind: 'dynamic', expression: oneOf(['paid.points * 2', 'member.hasEmail ? 100 : 0', '100 / 3']) }
  const coupon = below(3) === 0 ? { kind: 'coupon', value } : { kind: 'experience' }
  const miles = { kind: 'points', wallet: 'miles', points: oneOf([5, 2 ** 52]) } // twice the latter is out of range
  const price = below(3) === 0 ? [cost(), cost()] : cost()
  const about = { program: 'coffee', slug: `reward-${i}`, name: `Reward ${i}`, price, visibility, stock }
  if (below(4) === 0) return { ...about, kind: 'conversion', price: { points: 1 + below(80) }, value: miles }
  return {
    ...about,
    ...coupon,
    ...maybe({ code: { pool: 'short' } }, 5),
    ...maybe({ valid: { until: oneOf(['2020-01-01', '2090-01-01']) } }, 6),
  }
}

test(`what is offered can be redeemed, and what is not is refused for the reason that was told (seed ${SEED})`, async () => {
  const redeemed: string[] = []
  const seen = new Map<string, number>()
  for (let step = 0; step < STEPS; step++) {
    vi.setSystemTime(Date.now() + 60_000) // past midnight, where a day's limit begins anew
    const member = `external:${oneOf(MEMBERS)}`
    if (below(3) === 0) {
      const gift = { wallet: oneOf(['points', 'stamps']), points: 1 + below(30), reason: 'A present' }
      await made(`/members/${member}/adjust`, gift)
    }
    if (below(6) === 0 && redeemed.length > 0)
      await api.call('POST', `/v1/redemptions/${redeemed.splice(below(redeemed.length), 1)[0]}/cancel`, {})
    const store = oneOf(['Soho', undefined])
    const query = store === undefined ? '' : `&store=${store}`
    const offers = (await api.call('GET', `/v1/members/${member}/offers?limit=100${query}`)).body.data
    const offer = oneOf<any>(offers)
    const ask = { reward: offer.reward.id, ...(store === undefined ? {} : { store }) }
    const told = await api.call('POST', `/v1/members/${member}/redemptions`, ask)
    const said = `step ${step}: ${JSON.stringify(offer)} → ${told.text}`
    if (told.status === 201) {
      redeemed.push(told.body.id)
      expect([offer.can, offer.price?.spent, offer.worth], said).toEqual([
        true,
        told.body.spent,
        told.body.value?.kind === 'amount' ? told.body.value.amount : null,
      ])
    } else {
      expect([offer.can, offer.why], said).toEqual([false, { code: told.body.code, detail: told.body.detail }])
    }
    const what = told.status === 201 ? 'redeemed' : told.body.code
    seen.set(what, (seen.get(what) ?? 0) + 1)
  }
  expect(seen.get('redeemed') ?? 0, JSON.stringify([...seen])).toBeGreaterThan(STEPS / 10)
})

test('offers cost the same number of statements, however many rewards there are', async () => {
  const known = configurations()
  const count = () =>
    withRead(database.pool, database.space, async (db) => {
      let statements = 0
      const query: Db['query'] = (...said) => {
        statements += 1
        return db.query(...said)
      }
      await listOffers({ ...db, query } as Db, known, 'external:ada', {}, { limit: 100 }, Date.now() * 1000)
      return statements
    })
  const terms = { code: { pool: 'short' }, visibility: { tiers: { club: ['gold'] }, when: 'member.hasEmail' } }
  const one = { program: 'coffee', name: 'More', kind: 'experience', price: {}, ...terms }
  const more = async (slug: string) =>
    await made('/rewards', { ...one, slug, stock: { total: 9, perMember: 1, perPeriod: { per: 'day', total: 1 } } })
  await more('more')
  await count() // the configuration is read once
  const few = await count()
  for (let i = 0; i < 20; i++) await more(`more-${i}`)
  await count()
  expect(await count()).toBe(few)
})
