import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'

/** Every number explained: the balance is the sum of its lots, and of nothing else, at any instant. */
const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  await made('/v1/programs', {
    slug: 'coffee',
    name: 'Coffee Club',
    timezone: 'Europe/Berlin',
    currency: 'EUR',
    joinPolicy: 'on_first_purchase',
  })
  await made('/v1/earning-rules', {
    program: 'coffee',
    name: 'A point a euro',
    kind: 'per_amount',
    args: { points: 1, per: 100 },
  })
  await changed('/v1/programs/coffee/wallets/points', {
    names: { en: { one: 'bean', other: 'beans' }, de: { one: 'Bohne', other: 'Bohnen' } },
  })
})
afterAll(async () => {
  await api.close()
  expect(api.faults).toEqual([])
})

const made = async (path: string, body: object) => {
  const told = await api.call('POST', path, body)
  expect(told.status, told.text).toBe(201)
  return told.body
}
const changed = async (path: string, body: object) => {
  const told = await api.call('PATCH', path, body)
  expect(told.status, told.text).toBe(200)
}
const soon = () => new Date().toISOString()
const buy = (member: string, externalId: string, amount: number, more: object = {}) =>
  made('/v1/purchases', {
    program: 'coffee',
    externalId,
    member: `external:${member}`,
    occurredAt: soon(),
    currency: 'EUR',
    items: [{ sku: 'BEANS', quantity: 1, amount }],
    ...more,
  })
const explained = async (member: string, query = '', headers: Record<string, string> = {}) => {
  const told = await api.call(
    'GET',
    `/v1/members/external:${member}/wallets/points/explain${query}`,
    undefined,
    headers,
  )
  expect(told.status, told.text).toBe(200)
  return told.body
}
const wallet = async (member: string) =>
  (await api.call('GET', `/v1/members/external:${member}/wallets`)).body.data[0] as Record<string, number>

describe('a balance', () => {
  let before = ''
  test('is told as a tree: where each lot came from, by which rule and why, and where it went', async () => {
    await buy('ada', 'T1', 1200)
    await buy('ada', 'T2', 800)
    before = soon()
    await made('/v1/members/external:ada/spend', {
      wallet: 'points',
      points: 15,
      reason: 'Free espresso',
      externalId: 'S1',
    })
    await made('/v1/returns', {
      program: 'coffee',
      member: 'external:ada',
      externalId: 'R1',
      occurredAt: soon(),
      purchase: 'external:T2',
      items: [{ sku: 'BEANS', quantity: 1 }],
    })
    await made('/v1/members/external:ada/adjust', { wallet: 'points', points: 1, reason: 'Sorry about the wait' })
    const now = await explained('ada')
    expect(now).toMatchObject({
      balance: 1,
      available: 1,
      pending: 0,
      held: 0,
      due: 0,
      owed: 0,
      projected: false,
      next: null,
      language: 'en',
      lifetime: { earned: 20, spent: 15, reversed: 5, expired: 0, adjusted: 1, moved: 0 },
    })
    expect(now.lots.map((lot: any) => [lot.source.externalId, lot.state, lot.points, lot.remaining])).toEqual([
      [null, 'active', 1, 1],
      ['T2', 'used', 8, 0],
      ['T1', 'used', 12, 0],
    ])
    expect(now.lots[2]).toMatchObject({
      rule: { version: 1, name: 'A point a euro', why: '1 point per 1.00 EUR on 12.00 EUR' },
      changes: [{ kind: 'spend', points: -12, reason: 'Free espresso', source: { type: 'spend', externalId: 'S1' } }],
    })
    expect(now.lots[1].changes).toMatchObject([
      { kind: 'spend', points: -3 },
      { kind: 'reverse', points: -5, source: { type: 'return', externalId: 'R1' } },
    ])
  })

  test('of an instant that has passed is what it was then', async () => {
    expect(await explained('ada', `?at=${before}`)).toMatchObject({
      balance: 20,
      available: 20,
      lifetime: { earned: 20, spent: 0, reversed: 0, adjusted: 0 },
      lots: [
        { remaining: 12, state: 'active', changes: [] },
        { remaining: 8, state: 'active', changes: [] },
      ],
    })
    expect(await explained('ada', '?at=2020-01-01T00:00:00Z')).toMatchObject({ balance: 0, lots: [] })
  })

  test('can be read out, in English and in German, in the program’s words and time', async () => {
    const english = await explained('ada', '?lang=en')
    expect(english.sentences[0]).toMatch(
      /^On \d+ \w+ \d{4} at \d\d:\d\d \(Europe\/Berlin\), the wallet “points” of Coffee Club holds 1 bean\.$/,
    )
    expect(english.sentences[1]).toBe('Of that: 1 bean to spend.')
    expect(english.sentences[2]).toMatch(
      /^1 bean was added by hand on .+ \(Sorry about the wait\)\. Left of it: 1 bean, without an end\.$/,
    )
    expect(english.sentences[4]).toMatch(
      /^12 beans came with purchase T1 of .+, by the rule “A point a euro” \(version 1\): /,
    )
    expect(english.sentences[4]).toMatch(/: 1 point per 1\.00 EUR on 12\.00 EUR\. 12 beans of it were spent on /)
    expect(english.sentences[4]).toMatch(/ \(Free espresso\)\. Nothing of it is left\.$/)
    const german = await explained('ada', '?lang=de')
    expect(german.language).toBe('de')
    expect(german.sentences[0]).toMatch(
      /^Am \d+\. \p{L}+ \d{4} um \d\d:\d\d \(Europe\/Berlin\) liegt im Konto „points“ von Coffee Club 1 Bohne\.$/u,
    )
    expect(german.sentences[1]).toBe('Davon: 1 Bohne verfügbar.')
    expect(german.sentences[4]).toMatch(/^12 Bohnen kamen mit dem Einkauf T1 vom .+, nach der Regel „A point a euro“ /)
    expect(german.sentences[4]).toMatch(
      / \(Fassung 1\): .+\. 12 Bohnen davon wurden eingelöst, am .+ \(Free espresso\)\. /,
    )
    expect(german.sentences[4]).toMatch(/ Nichts davon ist übrig\.$/)
  })

  test.each([
    ['', 'de-AT, en;q=0.5', 'de'],
    ['', 'fr;q=0.9, en;q=0.2, de;q=0.5', 'de'],
    ['', 'fr', 'en'],
    ['', '', 'en'],
    ['?lang=tlh', 'de', 'de'],
    ['?lang=en-US', 'de', 'en'],
    ['?lang=%2F%2F', '*', 'en'],
  ])('lang %o and Accept-Language %o are answered in %s', async (query, accepted, language) => {
    expect((await explained('ada', query, { 'accept-language': accepted })).language).toBe(language)
  })

  test('of many lots comes in pages, all of one instant, and the sums are of all', async () => {
    for (let i = 1; i <= 7; i++) await buy('bob', `B${i}`, 100 * i)
    const lots: string[] = []
    let next: string | null = null
    do {
      const page: any = await explained('bob', `?limit=3${next === null ? '' : `&after=${next}`}`)
      expect(page.balance).toBe(28)
      lots.push(...page.lots.map((lot: any) => lot.source.externalId))
      if (next === null) await buy('bob', 'late', 5000) // what comes meanwhile is not of that instant
      next = page.next
    } while (next !== null)
    expect(lots).toEqual(['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7'])
  })

  test.each([
    ['external:nobody', 'points', '', 404, 'member_unknown'],
    ['external:ada', 'stars', '', 404, 'wallet_unknown'],
    ['external:ada', 'points', '?program=tea', 404, 'program_unknown'],
    ['external:ada', 'points', '?at=yesterday-afternoon-or-so', 400, 'invalid_request'],
    ['external:ada', 'points', '?at=2026-02-30T00:00:00Z', 400, 'invalid_request'],
    ['external:ada', 'points', '?after=x', 400, 'invalid_cursor'],
    ['external:ada', 'points', '?after=1_1&at=2026-01-01T00:00:00Z', 400, 'invalid_cursor'],
    ['external:ada', 'points', '?since=1', 400, 'invalid_request'],
  ])('%s %s%s is refused with %i', async (member, slug, query, status, code) => {
    const told = await api.call('GET', `/v1/members/${member}/wallets/${slug}/explain${query}`)
    expect([told.status, told.body.code]).toEqual([status, code])
  })
})

describe('after a random history', () => {
  test.each([1, 2, 3])('the explanation is what GET wallets says (history %i)', async (seed) => {
    const member = `random-${seed}`
    let state = seed
    const random = (n: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor((state / 2_147_483_648) * n)
    }
    const seen: { at: string; available: number }[] = []
    for (let i = 1; i <= 30; i++) {
      const act = random(4)
      if (act === 0 || i < 3) await buy(member, `${member}-${i}`, 100 * (1 + random(40)))
      const to = `/v1/members/external:${member}`
      if (act === 1) await api.call('POST', `${to}/spend`, { wallet: 'points', points: 1 + random(30), reason: 'x' })
      if (act === 2)
        await api.call('POST', `${to}/adjust`, { wallet: 'points', points: random(21) - 10 || 1, reason: 'y' })
      if (act === 3)
        await api.call('POST', '/v1/returns', {
          program: 'coffee',
          member: `external:${member}`,
          externalId: `${member}-r${i}`,
          occurredAt: soon(),
          items: [{ sku: 'BEANS', quantity: 1 }],
        })
      const at = soon()
      const { available } = await wallet(member)
      seen.push({ at, available: available ?? 0 })
      await new Promise((wait) => setTimeout(wait, 2)) // the next comes later than the millisecond that was seen
    }
    const { lots, lifetime, debts, ...now } = await explained(member, '?limit=100')
    const says = await wallet(member)
    expect(now).toMatchObject({ available: says.available, pending: says.pending, held: says.held })
    expect(lifetime).toEqual({
      earned: says.lifetimeEarned,
      spent: says.lifetimeSpent,
      reversed: says.lifetimeReversed,
      expired: says.lifetimeExpired,
      adjusted: says.lifetimeAdjusted,
      moved: says.lifetimeMoved,
    })
    const sum = (all: { remaining?: number; points?: number }[]) =>
      all.reduce((total, one) => total + (one.remaining ?? one.points ?? 0), 0)
    expect(now.balance).toBe(sum(lots) - sum(debts))
    for (const { at, available } of seen) expect((await explained(member, `?at=${at}`)).available).toBe(available)
  })
})

describe('what a return took below zero', () => {
  test('and again from the same lot as a hold let go of it, is one change of that lot, then and now', async () => {
    await changed('/v1/programs/coffee/wallets/points', { negative: { policy: 'allow' } })
    const to = '/v1/members/external:eve'
    await buy('eve', 'E1', 700)
    const hold = await made(`${to}/holds`, { wallet: 'points', points: 5, reason: 'table' })
    await made('/v1/returns', {
      program: 'coffee',
      member: 'external:eve',
      externalId: 'E1-back',
      occurredAt: soon(),
      purchase: 'external:E1',
      items: [{ sku: 'BEANS', quantity: 1 }],
    })
    expect((await explained('eve')).lots).toMatchObject([{ remaining: 5, held: 5, changes: [{ points: -2 }] }])
    await new Promise((wait) => setTimeout(wait, 2))
    const owing = soon()
    await new Promise((wait) => setTimeout(wait, 2))
    const captured = await api.call('POST', `/v1/holds/${hold.id}/capture`, { points: 3 })
    expect(captured.status, captured.text).toBe(200)
    expect(await explained('eve', `?at=${owing}`)).toMatchObject({
      balance: 0,
      held: 5,
      owed: 5,
      lots: [{ remaining: 5, held: 5, changes: [{ kind: 'reverse', points: -2 }] }],
    })
    const now = await explained('eve')
    expect(now).toMatchObject({ balance: -3, owed: 3 })
    expect(now.lots).toMatchObject([
      {
        remaining: 0,
        changes: [
          { kind: 'reverse', points: -4 },
          { kind: 'spend', points: -3 },
        ],
      },
    ])
    const { entry } = now.lots[0].changes[0]
    const story = await api.call('GET', `/v1/entries/${entry}`)
    expect(story.body).toMatchObject({ points: -7, took: [{ lot: now.lots[0].entry, points: 4 }] })
  })

  test('is owed by it until it is paid, not by what made good what it had written off', async () => {
    await changed('/v1/programs/coffee/wallets/points', { negative: { policy: 'floor', floor: 6 } })
    const to = '/v1/members/external:fay'
    await buy('fay', 'F1', 800)
    const [spend] = (await made(`${to}/spend`, { wallet: 'points', points: 8, reason: 'mug' })).entries
    await made('/v1/returns', {
      program: 'coffee',
      member: 'external:fay',
      externalId: 'F1-back',
      occurredAt: soon(),
      purchase: 'external:F1',
      items: 'all',
    })
    await made(`${to}/refunds`, { spend, points: 5, reason: 'chipped' }) // 2 make good, 3 pay
    await new Promise((wait) => setTimeout(wait, 2))
    const owing = soon()
    const { debts, lots } = await explained('fay')
    expect(debts).toMatchObject([{ points: 3, reason: null, source: { externalId: 'F1-back' } }])
    await new Promise((wait) => setTimeout(wait, 2))
    await made(`${to}/refunds`, { spend, points: 3, reason: 'broken' })
    expect(await explained('fay', `?at=${owing}`)).toMatchObject({ owed: 3, debts, lots })
    expect(await explained('fay')).toMatchObject({ balance: 0, owed: 0, debts: [] })
  })
})
