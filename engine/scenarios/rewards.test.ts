import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'

/** What a shop offers for points, and what a member may redeem of it. */
const database = await openDatabase()
let api: TestApi
const ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  api.call(method, `/v1${path}`, body, headers)
const post = (path: string, body?: unknown) => ask('POST', path, body)
const get = async (path: string) => (await ask('GET', path)).body

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await post('/programs/coffee/wallets', { slug: 'stamps', unit: 'stamps', target: 10 })
  for (const externalId of ['ada', 'bob']) await post('/members', { externalId })
})
afterAll(() => api.close())

const give = (member: string, points: number, wallet = 'points') =>
  post(`/members/external:${member}/adjust`, { wallet, points, reason: 'a present' })
const reward = (slug: string, more: object = {}) => ({
  program: 'coffee',
  slug,
  name: slug,
  kind: 'physical',
  price: { points: 100 },
  ...more,
})
async function made(slug: string, more: object = {}): Promise<any> {
  const told = await post('/rewards', reward(slug, more))
  expect(told.status, told.text).toBe(201)
  return told.body
}
const faults = async (more: object) => {
  const told = await post('/rewards', reward('faulty', more))
  expect([told.status, told.body.code]).toEqual([400, 'invalid_request'])
  return told.body.errors.map((error: { pointer: string }) => error.pointer)
}
const offers = async (member: string, query = '') =>
  new Map<string, any>(
    (await get(`/members/external:${member}/offers?limit=100${query}`)).data.map((offer: any) => [
      offer.reward.slug,
      offer,
    ]),
  )

describe('a reward', () => {
  test('is read back as it was said; its versions never change', async () => {
    const texts = { en: { name: 'Mug', terms: 'While stocks last' }, de: { name: 'Becher' } }
    const mug = await made('mug', { images: ['https://example.com/mug.png'], texts, category: 'things', money: 250 })
    expect(mug).toMatchObject({ version: 1, price: [{ points: 100 }], money: 250, texts, status: 'active', code: null })
    const changed = await ask('PATCH', `/rewards/${mug.id}`, { price: [{ points: 90 }, { stamps: 10 }], money: null })
    expect(changed.body).toMatchObject({ version: 2, price: [{ points: 90 }, { stamps: 10 }], money: null, texts })
    const read = await get(`/rewards/${mug.id}`)
    expect(read.versions.map((v: any) => [v.version, v.price, v.money])).toEqual([
      [2, [{ points: 90 }, { stamps: 10 }], null],
      [1, [{ points: 100 }], 250],
    ])
    expect(read.left).toEqual({ total: null, period: null, codes: null })
  })

  test('that is said again as it is makes no version; who saw an older one is told', async () => {
    const cup = await made('cup', { stock: { total: 5, perPeriod: { per: 'day', total: 2 } } })
    const same = await ask('PATCH', `/rewards/${cup.id}`, { stock: { perPeriod: { total: 2, per: 'day' }, total: 5 } })
    expect([same.body.version, same.headers.get('etag')]).toEqual([1, '"1"'])
    expect((await ask('PATCH', `/rewards/${cup.id}`, { name: 'A cup' }, { 'if-match': '"1"' })).body.version).toBe(2)
    const late = await ask('PATCH', `/rewards/${cup.id}`, { name: 'Cup' }, { 'if-match': '"1"' })
    expect([late.status, late.body.code]).toEqual([412, 'etag_mismatch'])
    expect((await get(`/rewards/${cup.id}`)).left.total).toEqual({ taken: 0, left: 5 })
  })

  test('of a slug is one in its program', async () => {
    await made('twice')
    expect((await post('/rewards', reward('twice'))).body.code).toBe('already_exists')
    expect((await post('/rewards', { ...reward('x'), program: 'tea' })).body.code).toBe('program_unknown')
    expect((await ask('GET', '/rewards/rwd_01kamqe5d9g3j7m1n5q9s3v7x1')).body.code).toBe('reward_unknown')
  })

  test('is listed by program, status and category, page by page', async () => {
    const draft = await made('drafted', { status: 'draft', category: 'secret' })
    const all = (await get('/rewards?program=coffee&limit=2')) as { data: any[]; next: string }
    const rest = await get(`/rewards?program=coffee&limit=100&after=${all.next}`)
    expect([...all.data, ...rest.data].map((r) => r.slug)).toEqual(['mug', 'cup', 'twice', 'drafted'])
    expect((await get('/rewards?category=secret')).data).toHaveLength(1)
    expect((await get('/rewards?status=draft')).data[0].id).toBe(draft.id)
    expect((await ask('GET', '/rewards?after=nonsense')).body.code).toBe('invalid_cursor')
    expect((await post(`/rewards/${draft.id}/publish`)).body.status).toBe('active')
    expect((await post(`/rewards/${draft.id}/archive`)).body.status).toBe('archived')
    expect((await post(`/rewards/${draft.id}/archive`)).headers.get('etag')).toBe('"3"')
  })

  test('that nobody could redeem is refused, with every field at fault', async () => {
    expect(await faults({ price: { gold: 1 } })).toEqual(['/price/gold'])
    expect(await faults({ price: [{ points: 1 }, { gold: 1 }] })).toEqual(['/price/1/gold'])
    expect(await faults({ value: { kind: 'amount', amount: 1 } })).toEqual(['/value/kind'])
    expect(await faults({ kind: 'conversion' })).toEqual(['/value'])
    const convert = { kind: 'conversion', value: { kind: 'points', wallet: 'points', points: 1 } }
    expect(await faults({ ...convert, code: { generate: {} }, valid: { for: 'P1D' } })).toEqual([
      '/value/wallet',
      '/code',
      '/valid',
    ])
    expect(await faults({ code: { pool: 'none' } })).toEqual(['/code/pool'])
    expect(await faults({ code: { generate: { alphabet: 'digits', prefix: 'A' } } })).toEqual(['/code/generate/prefix'])
    expect(await faults({ visibility: { tiers: { club: ['gold'] }, when: 'member.shoeSize > 3' } })).toEqual([
      '/visibility/tiers/club',
      '/visibility/when',
    ])
    const [startsAt, endsAt] = ['2027-02-01T00:00:00Z', '2027-01-01T00:00:00Z']
    expect(await faults({ visibility: { startsAt, endsAt } })).toEqual(['/visibility/endsAt'])
    expect(await faults({ valid: { activatesAfter: 'P5D', for: 'P2D' } })).toEqual(['/valid/for'])
    expect(await faults({ kind: 'product', fulfilment: true, code: { generate: {} } })).toEqual(['/code'])
    expect(await faults({ auto: { wallet: 'points', threshold: 99 }, stepUp: true })).toEqual([
      '/auto',
      '/auto/threshold',
    ])
    const dynamic = { kind: 'dynamic', expression: 'paid.points + "x"', min: 1 }
    expect(await faults({ kind: 'coupon', value: dynamic })).toEqual(['/value/expression'])
    expect(await faults({ price: { points: 0 } })).toEqual(['/price/points'])
  })

  test('that would redeem itself without end, by itself or with others, is refused when it is made and when it is published', async () => {
    await post('/programs/coffee/wallets', { slug: 'miles' })
    const leading = (from: string, to: string) => ({
      kind: 'conversion',
      price: { [from]: 10 },
      value: { kind: 'points', wallet: to, points: 10 },
      auto: { wallet: from, threshold: 10 },
    })
    const there = await made('to-miles', leading('points', 'miles'))
    await made('to-stamps', leading('miles', 'stamps'))
    expect(await faults(leading('stamps', 'points'))).toEqual(['/auto'])
    await ask('POST', `/rewards/${there.id}/archive`, {})
    const back = await made('to-points', leading('stamps', 'points'))
    expect(await ask('POST', `/rewards/${there.id}/publish`, {})).toMatchObject({ status: 400 })
    await ask('PATCH', `/rewards/${back.id}`, { auto: null })
    expect(await ask('POST', `/rewards/${there.id}/publish`, {})).toMatchObject({ status: 200 })
    for (const slug of ['to-miles', 'to-stamps', 'to-points']) {
      const { data } = await get('/rewards?program=coffee&limit=100')
      await ask('POST', `/rewards/${data.find((one: any) => one.slug === slug).id}/archive`, {})
    }
  })

  test('for a till has a code that is made for it, unless it is said that it has none', async () => {
    expect((await made('ten', { kind: 'coupon' })).code).toEqual({ generate: {} })
    expect((await made('plain', { kind: 'coupon', code: null })).code).toBeNull()
    expect((await made('tree', { kind: 'donation' })).code).toBeNull()
    // Sent and had at a till besides, it would be two for the price of one.
    expect((await made('sent', { kind: 'product', fulfilment: true })).code).toBeNull()
    for (const slug of ['ten', 'plain', 'tree', 'sent', 'mug', 'cup', 'twice']) {
      const { id } = (await get('/rewards?limit=100')).data.find((r: any) => r.slug === slug)
      await post(`/rewards/${id}/archive`)
    }
  })
})

test('categories have names and an order, and count what is active in them', async () => {
  const category = (slug: string, position: number) => ({
    program: 'coffee',
    slug,
    texts: { en: { name: slug } },
    position,
  })
  const late = (await post('/reward-categories', category('late', 2))).body
  await post('/reward-categories', category('early', 1))
  expect((await post('/reward-categories', category('late', 0))).body.code).toBe('already_exists')
  const { id } = await made('counted', { category: 'late' })
  await made('not-counted', { category: 'late', status: 'draft' })
  const listed = async (query: string) =>
    (await get(`/reward-categories?${query}`)).data.map((c: any) => [c.slug, c.rewards])
  expect(await listed('program=coffee')).toEqual([
    ['early', 0],
    ['late', 1],
  ])
  const { next } = await get('/reward-categories?limit=1')
  expect(await listed(`after=${next}`)).toEqual([['late', 1]])
  await ask('PATCH', `/reward-categories/${late.id}`, { position: 0, texts: { de: { name: 'Spät' } } })
  await post(`/rewards/${id}/archive`)
  expect(await listed('')).toEqual([
    ['late', 0],
    ['early', 0],
  ])
  const seen = await ask('PATCH', `/reward-categories/${late.id}`, { position: 5 }, { 'if-match': '"1"' })
  expect(seen.body.code).toBe('etag_mismatch')
  expect((await ask('PATCH', '/reward-categories/rct_x', {})).body.code).toBe('reward_category_unknown')
  expect((await ask('GET', '/reward-categories?after=rct_x')).body.code).toBe('invalid_cursor')
})

test('a reward of any kind can be redeemed with the least that may be said of it', async () => {
  await give('bob', 700)
  const least = ['coupon', 'product', 'gift_card', 'physical', 'experience', 'donation'].map((kind) => ({ kind }))
  const conversion = { kind: 'conversion', value: { kind: 'points', wallet: 'stamps', points: 2 } }
  for (const more of [...least, conversion]) {
    const { id } = await made(`least-${more.kind.replace('_', '-')}`, { ...more, stock: { total: 1, perMember: 1 } })
    const told = await post('/members/external:bob/redemptions', { reward: id })
    expect([told.status, told.body.spent, typeof told.body.code]).toEqual([
      201,
      { points: 100 },
      ['coupon', 'product', 'gift_card'].includes(more.kind) ? 'string' : 'undefined',
    ])
    await post(`/rewards/${id}/archive`)
  }
})

describe('offers', () => {
  test('say what can be redeemed now, and how far the rest is', async () => {
    await made('espresso', { price: [{ points: 200 }, { stamps: 5 }], texts: { en: { name: 'Espresso' } } })
    await give('ada', 150)
    const far = (await offers('ada')).get('espresso')
    expect(far).toMatchObject({
      can: false,
      why: { code: 'insufficient_points' },
      missing: { points: 50 },
      price: null,
    })
    expect(far.reward.texts.en.name).toBe('Espresso')
    await give('ada', 5, 'stamps')
    const near = (await offers('ada')).get('espresso')
    expect(near).toMatchObject({ can: true, why: null, missing: {}, price: { index: 1, spent: { stamps: 5 } } })
    expect([...(await offers('ada', '&can=false')).keys()]).not.toContain('espresso')
    expect([...(await offers('bob', '&can=true')).keys()]).toEqual([])
  })

  test('decide as a redemption does, and count what is left', async () => {
    await give('bob', 1000)
    await made('last', { stock: { total: 1, perMember: 1 } })
    await made('daily', { stock: { perMember: { per: 'day', times: 2 }, perPeriod: { per: 'month', total: 3 } } })
    expect((await offers('bob')).get('last')).toMatchObject({ can: true, left: { total: { taken: 0, left: 1 } } })
    for (const slug of ['last', 'daily', 'daily'])
      expect((await post('/members/external:bob/redemptions', { reward: slug })).status).toBe(201)
    const now = await offers('bob')
    expect(now.get('last')).toMatchObject({
      can: false,
      why: { code: 'limit_reached' },
      mine: { redeemed: 1, limit: 1, per: 'lifetime' },
      left: { total: { taken: 1, left: 0 } },
    })
    expect(now.get('daily')).toMatchObject({
      why: { code: 'limit_reached', detail: 'a member redeems "daily" 2 times a day, and has' },
      mine: { redeemed: 2, limit: 2, per: 'day' },
      left: { period: { taken: 2, left: 1 } },
    })
    const ada = await offers('ada')
    expect([ada.get('last').why.code, ada.get('daily').can]).toEqual(['out_of_stock', true])
    const refused = await post('/members/external:ada/redemptions', { reward: 'last' })
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      409,
      'out_of_stock',
      ada.get('last').why.detail,
    ])
  })

  test('leave out what is not yet or no longer offered; say where and to whom the rest is', async () => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    await made('soon', { visibility: { startsAt: at(1) } })
    await made('over', { visibility: { endsAt: at(-1) } })
    await made('soho', { visibility: { stores: ['Soho'] } })
    await made('mailed', { visibility: { when: 'member.hasEmail' } })
    const none = await offers('ada')
    expect([none.has('soon'), none.has('over')]).toEqual([false, false])
    expect(none.get('soho').why.code).toBe('not_eligible')
    expect(none.get('mailed').why).toEqual({
      code: 'not_eligible',
      detail: 'the condition of the reward "mailed" is not met by the member',
    })
    await ask('PATCH', '/members/external:ada', { email: 'ada@example.com' })
    const there = await offers('ada', '&store=Soho')
    expect([there.get('soho').can, there.get('mailed').can]).toEqual([true, true])
  })

  test('reckon what a dynamic value is worth to this member', async () => {
    const value = { kind: 'dynamic', expression: 'paid.points * 5 + (member.hasEmail ? 100 : 0)', min: 50, max: 550 }
    await made('worth', { kind: 'coupon', value })
    expect((await offers('ada')).get('worth')).toMatchObject({ can: true, worth: 550 })
    expect((await offers('bob')).get('worth')).toMatchObject({ can: true, worth: 500 })
    const broken = { kind: 'dynamic', expression: 'paid.gold * 5' }
    await made('broken', { kind: 'coupon', value: broken })
    expect((await offers('bob')).get('broken')).toMatchObject({
      can: false,
      worth: null,
      why: { code: 'not_eligible' },
    })
  })

  test('are for the tier that a member holds now, as a redemption decides', async () => {
    const tiers = [
      { slug: 'basic', name: 'Basic', threshold: 0 },
      { slug: 'gold', name: 'Gold', threshold: 1_000_000 },
    ]
    const ladder = { program: 'coffee', slug: 'club', name: 'Club', metric: { kind: 'spend' }, tiers }
    const kept = { window: { kind: 'lifetime' }, upgrade: 'at_once', downgrade: 'none' }
    expect((await post('/tier-ladders', { ...ladder, ...kept })).status).toBe(201)
    await made('lounge', { visibility: { tiers: { club: ['gold'] } } })
    const redeem = () => post('/members/external:bob/redemptions', { reward: 'lounge' })
    const low = (await offers('bob')).get('lounge')
    const refused = await redeem()
    expect([low.can, low.why.detail]).toEqual([false, refused.body.detail])
    expect([refused.status, refused.body.code]).toEqual([409, 'not_eligible'])
    const assigned = await post('/members/external:bob/tiers/club', { tier: 'gold', reason: 'A friend of the house' })
    expect(assigned.status, assigned.text).toBe(200)
    expect((await offers('bob')).get('lounge').can).toBe(true)
    expect((await redeem()).status).toBe(201)
    expect(await faults({ visibility: { tiers: { club: ['platinum'] } } })).toEqual(['/visibility/tiers/club/0'])
  })

  test('go by the stock as it is now: what was taken counts against another total', async () => {
    const { id } = await made('few', { stock: { total: 3, perMember: 2 }, price: {} })
    const left = async (who: string) => (await offers(who)).get('few')
    for (const who of ['ada', 'bob']) await post(`/members/external:${who}/redemptions`, { reward: 'few' })
    await ask('PATCH', `/rewards/${id}`, { stock: { total: 1 } })
    expect(await left('ada')).toMatchObject({ why: { code: 'out_of_stock' }, left: { total: { taken: 2, left: 0 } } })
    await ask('PATCH', `/rewards/${id}`, { stock: { total: 3, perMember: 1 } })
    expect(await left('ada')).toMatchObject({ why: { code: 'limit_reached' }, left: { total: { taken: 2, left: 1 } } })
    await ask('PATCH', `/rewards/${id}`, { stock: null })
    expect(await left('ada')).toMatchObject({ can: true, mine: null, left: { total: null } })
  })

  test('of who was merged are those of the one who lives on, with what both redeemed', async () => {
    for (const externalId of ['one', 'two']) await post('/members', { externalId })
    await made('once', { stock: { perMember: 1 }, price: {} })
    expect((await post('/members/external:two/redemptions', { reward: 'once' })).status).toBe(201)
    expect((await offers('one')).get('once').can).toBe(true)
    await post('/members/external:one/merge', { from: 'external:two', reason: 'Two cards' })
    for (const who of ['one', 'two'])
      expect((await offers(who)).get('once')).toMatchObject({ why: { code: 'limit_reached' }, mine: { redeemed: 1 } })
  })

  test('are none for who is suspended, and of a paused program', async () => {
    await post('/members', { externalId: 'sue' })
    await made('gift', { price: {} })
    await ask('PATCH', '/members/external:sue', { status: 'suspended' })
    expect((await offers('sue')).get('gift').why.code).toBe('member_suspended')
    await post('/programs/coffee/pause')
    expect((await offers('ada')).get('gift').why.code).toBe('program_paused')
    expect((await post('/members/external:ada/redemptions', { reward: 'gift' })).body.code).toBe('program_paused')
    await post('/programs/coffee/resume')
    expect((await offers('ada')).get('gift').can).toBe(true)
  })

  test('come in pages, of one program and category', async () => {
    await made('tea', { category: 'drinks' })
    expect([...(await offers('ada', '&category=drinks&program=coffee')).keys()]).toEqual(['tea'])
    const first = await get('/members/external:ada/offers?limit=3')
    const second = await get(`/members/external:ada/offers?limit=100&after=${first.next}`)
    expect([...first.data, ...second.data].map((o: any) => o.reward.slug)).toEqual([...(await offers('ada')).keys()])
    expect((await ask('GET', '/members/external:nobody/offers')).body.code).toBe('member_unknown')
    expect((await ask('GET', '/members/external:ada/offers?program=tea')).body.code).toBe('program_unknown')
    expect((await ask('GET', '/members/external:ada/offers?after=rwd_x')).body.code).toBe('invalid_cursor')
  })
})
