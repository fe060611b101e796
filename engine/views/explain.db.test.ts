import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { type Db, withRead } from '../base/db.ts'
import { configurations } from '../earning/configuration.ts'
import { explainWallet } from './explain.ts'
import { languageOf } from './explain.sentences.ts'

const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'club', name: 'Club', timezone: 'Europe/London', currency: 'GBP' }
  await made('POST', '/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await made('POST', '/v1/programs/club/wallets', { slug: 'cash', unit: 'money' })
  await made('PATCH', '/v1/programs/club/wallets/points', {
    transfers: { feePoints: 1 },
    conversions: [{ to: 'cash', give: 1, get: 3 }],
    negative: { policy: 'allow' },
  })
  await made('POST', '/v1/activity-types', {
    program: 'club',
    slug: 'review',
    name: 'Review',
    schema: { type: 'object' },
  })
  const rule = { program: 'club', args: { points: 1, per: 100 } }
  await made('POST', '/v1/earning-rules', { ...rule, name: 'A point a pound', kind: 'per_amount' })
  await made('POST', '/v1/earning-rules', {
    program: 'club',
    name: 'Ten for a review',
    kind: 'fixed',
    args: { points: 10 },
    on: { event: 'activity', activity: 'review' },
  })
})
afterAll(async () => {
  await api.close()
  expect(api.faults).toEqual([])
})

async function made(method: string, path: string, body: object) {
  const told = await api.call(method, path, body)
  expect(told.status, told.text).toBeLessThan(300)
  return told.body
}
const soon = () => new Date().toISOString()
const buy = (member: string, externalId: string, amount: number) =>
  made('POST', '/v1/purchases', {
    program: 'club',
    externalId,
    member: `external:${member}`,
    occurredAt: soon(),
    currency: 'GBP',
    items: [{ sku: 'THING', quantity: 1, amount }],
  })
const explained = async (member: string, wallet = 'points', query = '') =>
  (await api.call('GET', `/v1/members/external:${member}/wallets/${wallet}/explain${query}`)).body
const lotsOf = async (member: string, wallet = 'points') =>
  (await explained(member, wallet)).lots as { entry: string; kind: string; source: any; rule: any; changes: any[] }[]
/** What the story of each lot's entry and the list of entries say made it: the same as the explanation. */
async function sourcesAgree(member: string, wallet = 'points'): Promise<void> {
  const { data } = (await api.call('GET', `/v1/members/external:${member}/entries?wallet=${wallet}&limit=100`)).body
  for (const lot of await lotsOf(member, wallet)) {
    const { source } = (await api.call('GET', `/v1/entries/${lot.entry}`)).body
    expect(source).toEqual(lot.source)
    const listed = data.find(({ id }: { id: string }) => id === lot.entry)
    expect(listed.source).toEqual({ type: source.type, id: source.id })
  }
}

describe('what made a lot', () => {
  test('is the activity that earned it, by its rule', async () => {
    await buy('ada', 'A1', 500)
    await made('POST', '/v1/activities', {
      program: 'club',
      type: 'review',
      externalId: 'review-1',
      member: 'external:ada',
      occurredAt: soon(),
    })
    const [, review] = await lotsOf('ada')
    expect(review).toMatchObject({
      source: { type: 'activity', externalId: 'review-1', id: expect.stringMatching(/^act_/) },
      rule: { name: 'Ten for a review', why: expect.stringContaining('10 points') },
    })
    expect((await explained('ada')).sentences.join(' ')).toContain('10 points came with activity review of ')
    await sourcesAgree('ada')
  })

  test('is the transfer or the conversion by which it came, and so is what took from it', async () => {
    await buy('bob', 'B1', 5000)
    await made('POST', '/v1/members/external:bob/transfers', {
      to: 'external:ada',
      wallet: 'points',
      points: 20,
      reason: 'Happy birthday',
    })
    await made('POST', '/v1/members/external:bob/conversions', {
      program: 'club',
      from: 'points',
      to: 'cash',
      points: 7,
    })
    expect((await lotsOf('bob'))[0]?.changes.map((change) => [change.kind, change.points, change.source.type])).toEqual(
      [
        ['transfer', -20, 'transfer'],
        ['fee', -1, 'transfer'],
        ['convert', -7, 'conversion'],
      ],
    )
    expect((await lotsOf('bob', 'cash'))[0]?.source).toMatchObject({
      type: 'conversion',
      id: expect.stringMatching(/^cnv_/),
    })
    expect((await lotsOf('ada')).at(-1)?.source).toMatchObject({ type: 'transfer', id: expect.stringMatching(/^trf_/) })
    const { sentences } = await explained('bob', 'cash', '?lang=de')
    expect(sentences[0]).toContain('liegen im Konto „cash“ von Club 0,21 £.')
    expect((await explained('bob')).sentences.at(-1)).toContain('20 points of it went to another member on ')
    for (const member of ['ada', 'bob']) await sourcesAgree(member)
    await sourcesAgree('bob', 'cash')
  })

  test('is still the purchase or adjustment of a member who was merged into this one', async () => {
    await buy('cy', 'C1', 900)
    await made('POST', '/v1/members/external:cy/adjust', { wallet: 'points', points: 4, reason: 'Sorry' })
    const before = soon()
    await new Promise((wait) => setTimeout(wait, 5))
    const cy = (await api.call('GET', '/v1/members/external:cy')).body.id
    await made('POST', '/v1/members/external:bob/merge', { from: 'external:cy', reason: 'the same person' })
    const lots = (await lotsOf('bob')).filter(({ kind }) => kind === 'merge')
    expect(
      lots.map(({ source, rule }) => [source.type, source.externalId, rule?.name ?? null, rule?.why ?? null]),
    ).toEqual([
      ['purchase', 'C1', 'A point a pound', '1 point per 1.00 GBP on 9.00 GBP'],
      ['adjustment', null, null, null],
    ])
    await sourcesAgree('bob')
    const now = await explained('bob')
    expect(now.balance).toBe((await api.call('GET', '/v1/members/external:bob/wallets')).body.data[0].available)
    const path = `/v1/members/${cy}/wallets/points/explain`
    expect((await api.call('GET', path)).body).toMatchObject({ member: now.member, balance: now.balance })
    expect((await api.call('GET', `${path}?at=${before}`)).body).toMatchObject({ member: cy, balance: 13 })
    expect(now.sentences.join(' ')).toContain('9 points came from an account that was merged with this one on ')
  })

  test('below zero there is what is owed, and by what', async () => {
    await buy('dan', 'D1', 1000)
    await made('POST', '/v1/members/external:dan/spend', { wallet: 'points', points: 8, reason: 'coffee' })
    await made('POST', '/v1/returns', {
      program: 'club',
      member: 'external:dan',
      externalId: 'D-r',
      occurredAt: soon(),
      purchase: 'external:D1',
      items: [{ sku: 'THING', quantity: 1 }],
    })
    const owing = await explained('dan')
    expect(owing).toMatchObject({
      balance: -8,
      available: -8,
      owed: 8,
      debts: [{ points: 8, source: { externalId: 'D-r' } }],
    })
    expect(owing.sentences).toContain(
      'Owed: 8 points, taken back when there was not enough; later earnings make up for it.',
    )
    await buy('dan', 'D2', 1000)
    expect(await explained('dan')).toMatchObject({ balance: 2, available: 2, owed: 0, debts: [] })
    expect((await lotsOf('dan'))[0]).toMatchObject({ remaining: 2, changes: [{ kind: 'reverse', points: -8 }] })
  })
})

test('an explanation costs the same statements, however many lots and changes there are', async () => {
  const known = configurations()
  const explain = async (member: string) => {
    let statements = 0
    await withRead(database.pool, database.space, async (db) => {
      const query: Db['query'] = (...args) => {
        statements += 1
        return db.query(...args)
      }
      const ask = { member: `external:${member}`, wallet: 'points', limit: 100, language: languageOf('en', undefined) }
      await explainWallet({ ...db, query } as Db, known, ask, Date.now() * 1000)
    })
    return statements
  }
  await explain('ada') // reads the configuration, once a process
  await buy('few', 'few', 500)
  for (let i = 0; i < 40; i++) await buy('many', `many-${i}`, 500)
  for (let i = 0; i < 60; i++)
    await made('POST', '/v1/members/external:many/spend', { wallet: 'points', points: 3, reason: 'coffee' })
  expect(await explain('many')).toBe(await explain('few'))
  expect(await explain('many')).toBe(8)
  const { lots } = await explained('many', 'points', '?limit=100')
  expect(lots).toHaveLength(40)
})

test('of a lot that was taken from very often, the newest changes are listed and all are counted', async () => {
  await buy('drip', 'drip', 10_000)
  for (let i = 0; i < 25; i++)
    await made('POST', '/v1/members/external:drip/spend', { wallet: 'points', points: 1, reason: `sip ${i}` })
  const { lots, sentences } = await explained('drip')
  expect(lots[0]).toMatchObject({ remaining: 75, moreChanges: 5 })
  expect(lots[0].changes.map(({ reason }: { reason: string }) => reason)).toEqual(
    Array.from({ length: 20 }, (_, i) => `sip ${i + 5}`),
  )
  expect(sentences.at(-1)).toContain('25 points of it were spent in 25 steps. Left of it: 75 points')
})
