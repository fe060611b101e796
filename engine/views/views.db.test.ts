import { beforeAll, describe, expect, it } from 'vitest'
import { decodeEntryId } from '@laurel/contract/ids'
import { EVENTS, type Event, type EventType } from '@laurel/contract/events'
import { entryAnswer, entryStory } from '@laurel/contract/points'
import { purchaseView } from '@laurel/contract/purchases'
import { NOW, door, openShop } from '../../tests/shop.ts'
import { type Db, withRead, withTx } from '../base/db.ts'
import { readEvents } from '../base/outbox.ts'
import { changeMember } from '../change-member.ts'
import { pauseProgram, resumeProgram } from '../configure-programs.ts'
import { configurations } from '../earning/configuration.ts'
import { listMembers } from '../members/members.ts'
import { listEntries, readEntry } from './entries.ts'
import { expand, listEvents } from './events.ts'
import { getPurchase, listPurchases } from './purchases.ts'
import { createWalletReader } from './wallets.ts'

const shop = await openShop()
const { pool, space } = shop
const known = configurations()
const read = <T>(work: (db: Db) => Promise<T>) => withRead(pool, space, work)
const entries = (member: string, page: { after?: string; limit: number } = { limit: 100 }) =>
  read((db) => listEntries(db, known, member, {}, page))
const spend = async (member: string, points: number, externalId?: string) =>
  JSON.parse(
    (await shop.gate.submit(space, { verb: 'spend', member, wallet: 'points', points, reason: 'coffee', externalId }))
      .body,
  )
const adjust = async (member: string, points: number) =>
  JSON.parse(
    (await shop.gate.submit(space, { verb: 'adjust', member, wallet: 'points', points, reason: 'sorry' })).body,
  )

/** How many statements the work sends. */
async function statements(work: (db: Db) => Promise<unknown>): Promise<number> {
  let count = 0
  await read(async (db) => {
    const query: Db['query'] = (...args) => {
      count += 1
      return db.query(...args)
    }
    await work({ ...db, query } as Db)
  })
  return count
}

/** Everything that a paged list gives, page by page; `between` runs after each page. */
async function walk<T>(
  list: (page: { after?: string; limit: number }) => Promise<{ data: T[]; next: string | null }>,
  limit: number,
  between: () => Promise<unknown> = async () => {},
): Promise<T[]> {
  const all: T[] = []
  for (let after: string | undefined; ; ) {
    const page = await list({ limit, ...(after === undefined ? {} : { after }) })
    all.push(...page.data)
    expect(page.data.length).toBeLessThanOrEqual(limit)
    if (page.next === null) return all
    after = page.next
    await between()
  }
}

beforeAll(async () => {
  await shop.rule('per_amount', { points: 1, per: 100 })
  await shop.rule('fixed', { points: 5 }, { name: 'welcome' })
})

describe('wallets', () => {
  const wallets = createWalletReader(pool, known)

  it('say what is there, by id and by external id, after every acknowledged write', async () => {
    const bought = await shop.buy('w-1', 'external:wes', 1000)
    await spend('external:wes', 4)
    await shop.giveBack('w-r', 'external:wes', { purchase: 'external:w-1' })
    const expected = [
      {
        program: 'coffee',
        wallet: 'points',
        available: 0,
        pending: 0,
        held: 0,
        lifetimeEarned: 15,
        lifetimeSpent: 4,
        lifetimeReversed: 11,
        lifetimeExpired: 0,
        lifetimeAdjusted: 0,
        lifetimeMoved: 0,
      },
    ]
    expect(await wallets.read(space, 'external:wes')).toEqual(expected)
    expect(await wallets.read(space, bought.body.member)).toEqual(expected)
    expect(await wallets.read(shop.otherSpace, bought.body.member)).toBeUndefined()
    expect(await wallets.read(shop.otherSpace, 'external:wes')).toBeUndefined()
    for (const ref of ['external:nobody', 'mem_01kamq8w2sfnzt0v6y4xk3h9pd', 'wes', ''])
      expect(await wallets.read(space, ref)).toBeUndefined()
  })

  it('go together when many ask at once, in both spaces, and never cross', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, i) => shop.buy(`many-${i}`, `external:many-${i}`, i * 100)))
    const asked = Array.from({ length: 600 }, (_, i) => ({ i: i % 30, space: i % 7 === 0 ? shop.otherSpace : space }))
    const answers = await Promise.all(asked.map((a) => wallets.read(a.space, `external:many-${a.i}`)))
    for (const [n, answer] of answers.entries()) {
      const { i, space: of } = asked[n] as (typeof asked)[number]
      if (of !== space) expect(answer).toBeUndefined()
      else expect(answer).toMatchObject([{ available: i + 5 }])
    }
  })
})

describe('entries', () => {
  it('are signed, newest first, name their source and rule, and satisfy their shape', async () => {
    await shop.buy('e-1', 'external:eli', 1000)
    const spent = await spend('external:eli', 3)
    const returned = await shop.giveBack('e-r', 'external:eli', { purchase: 'external:e-1' })
    await adjust('external:eli', 7)
    const { data, next } = await entries('external:eli')
    expect(next).toBeNull()
    expect(data.map((e) => [e.kind, e.points, e.balance, e.from, e.to, e.source.type])).toEqual([
      ['adjust', 7, 7, 'adjusted', 'member', 'adjustment'],
      ['reverse', -12, 0, 'member', 'issued', 'return'],
      ['spend', -3, 12, 'member', 'redeemed', 'spend'],
      ['earn', 5, 15, 'issued', 'member', 'purchase'],
      ['earn', 10, 10, 'issued', 'member', 'purchase'],
    ])
    for (const entry of data) expect(entryAnswer.parse(entry)).toEqual(entry)
    expect(data[2]).toMatchObject({ source: { id: spent.id }, reason: 'coffee', rule: null, lot: null })
    expect(data[1]).toMatchObject({ source: { id: returned.body.id }, rule: null })
    expect(data[4]).toMatchObject({ rule: { version: 1 }, lot: { remaining: 0, expiresAt: null } })
    await expect(
      read((db) => listEntries(db, known, 'external:eli', { wallet: 'stars' }, { limit: 1 })),
    ).rejects.toMatchObject({ refusal: { code: 'wallet_unknown' } })
    await expect(
      read((db) => listEntries(db, known, 'external:eli', { program: 'tea' }, { limit: 1 })),
    ).rejects.toMatchObject({ refusal: { code: 'program_unknown' } })
    await expect(entries('external:nobody')).rejects.toMatchObject({ refusal: { code: 'member_unknown' } })
    const other = (await entries('external:wes')).data[0]?.id as string
    for (const after of ['x', '1', other])
      await expect(entries('external:eli', { limit: 1, after })).rejects.toMatchObject({
        refusal: { code: 'invalid_cursor' },
      })
  })

  it('have a story: lots taken from, taken by, and what reverses them', async () => {
    await shop.buy('s-1', 'external:sue', 1000)
    await spend('external:sue', 12)
    await shop.giveBack('s-r', 'external:sue', { purchase: 'external:s-1' })
    const { data } = await entries('external:sue')
    const [reverse, spent, fixed, earned] = data.map((entry) => entry.id) as [string, string, string, string]
    const story = (id: string) => read((db) => readEntry(db, known, id))
    const of = await story(earned)
    expect(entryStory.parse(of)).toEqual(of)
    expect(of).toMatchObject({
      source: { type: 'purchase', externalId: 's-1' },
      rule: { kind: 'per_amount', args: { points: 1, per: 100 } },
      took: [],
      lot: { remaining: 0 },
      takenBy: [{ entry: spent, points: 10 }],
      // a reversal points at the first entry that its purchase made, wherever its points came from
      reversedBy: [{ entry: reverse, points: 3 }],
    })
    expect(await story(fixed)).toMatchObject({
      rule: { name: 'welcome' },
      takenBy: [
        { entry: spent, points: 2 },
        { entry: reverse, points: 3 },
      ],
      reversedBy: [],
    })
    expect(await story(spent)).toMatchObject({
      took: [
        { lot: earned, points: 10 },
        { lot: fixed, points: 2 },
      ],
      rule: null,
    })
    expect(await story(reverse)).toMatchObject({ source: { type: 'return', externalId: 's-r' }, reverses: earned })
    for (const id of ['ent_x', `${earned}0`, earned.replace(/_\d+$/, '')])
      await expect(story(id)).rejects.toMatchObject({ refusal: { code: 'entry_unknown' } })
    await expect(withRead(pool, shop.otherSpace, (db) => readEntry(db, known, earned))).rejects.toMatchObject({
      refusal: { code: 'entry_unknown' },
    })
  })

  it('neither skip nor repeat while more are booked', async () => {
    for (let i = 0; i < 12; i++) await shop.buy(`p-${i}`, 'external:pat', 300)
    const before = (await entries('external:pat')).data.map((entry) => entry.id)
    let more = 0
    const seen = await walk(
      (page) => entries('external:pat', page),
      5,
      () => shop.buy(`p-more-${more++}`, 'external:pat', 300),
    )
    expect(seen.map((entry) => entry.id)).toEqual(before)
    expect(seen.map((entry) => decodeEntryId(entry.id)?.seq)).toEqual(Array.from({ length: 24 }, (_, i) => 24 - i))
  })
})

describe('purchases', () => {
  it('are what was answered when they were recorded, with what came back', async () => {
    const items = [
      { sku: 'a', quantity: 3, amount: 1000 },
      { line: 'x', sku: 'b', name: 'B', category: 'c', brand: 'd', quantity: 1, amount: 250 },
    ]
    const {
      body: { wallets: _, ...recorded },
    } = await shop.buy('v-1', 'external:val', 0, { items, channel: 'till', store: 'Soho', metadata: { n: 1 } })
    const get = (ref: string) => read((db) => getPurchase(db, known, ref))
    expect(await get('external:v-1')).toEqual({ ...recorded, returned: [] })
    await shop.giveBack('v-r', 'external:val', { items: [{ sku: 'a', quantity: 1 }] })
    const after = await get(recorded.id)
    expect(after).toEqual({ ...recorded, returned: [{ line: '1', quantity: 1, amount: 333 }] })
    expect(purchaseView.parse(after)).toEqual(after)
    for (const ref of ['external:v-2', 'v-1', recorded.member])
      await expect(get(ref)).rejects.toMatchObject({ refusal: { code: 'purchase_unknown' } })
    for (const ref of ['external:v-1', recorded.id]) {
      await expect(withRead(pool, shop.otherSpace, (db) => getPurchase(db, known, ref))).rejects.toMatchObject({
        refusal: { code: 'purchase_unknown' },
      })
    }
  })

  it('are listed newest recorded first, whenever they happened, and pages hold still under writes', async () => {
    for (let i = 0; i < 11; i++)
      await shop.buy(`l-${i}`, 'external:lou', 100, { occurredAt: NOW() - i * 86_400_000_000 })
    let more = 0
    const seen = await walk(
      (page) => read((db) => listPurchases(db, known, 'external:lou', { program: 'coffee' }, page)),
      4,
      () => shop.buy(`l-more-${more++}`, 'external:lou', 100),
    )
    expect(seen.map((purchase) => purchase.externalId)).toEqual(Array.from({ length: 11 }, (_, i) => `l-${10 - i}`))
  })
})

describe('members', () => {
  it('are listed newest first, and pages hold still under writes', async () => {
    const list = (page: { after?: string; limit: number }) => read((db) => listMembers(db, {}, page))
    const before = await walk(list, 100)
    expect(before.map((member) => member.id)).toEqual(
      before
        .map((member) => member.id)
        .toSorted()
        .toReversed(),
    )
    let more = 0
    const seen = await walk(list, 7, () => shop.buy(`m-${more}`, `external:m-${more++}`, 100))
    expect(seen.map((member) => member.id)).toEqual(before.map((member) => member.id))
    await expect(list({ limit: 1, after: 'prg_01kamq7r5xebmtwwk2a9yd0s3c' })).rejects.toMatchObject({
      refusal: { code: 'invalid_cursor' },
    })
  })
})

describe('events', () => {
  const all = async (): Promise<Event[]> => {
    const data: Event[] = []
    for (let after = 0; ; ) {
      const page = await listEvents(pool, known, space, { after, limit: 9 })
      data.push(...page.data)
      after = Number(page.next)
      if (!page.hasMore) return data
    }
  }

  it('are in the shape of their type, without a gap, seen at once by who wrote', async () => {
    const bought = await shop.buy('ev-1', 'external:eva', 1000)
    await spend('external:eva', 3)
    await shop.giveBack('ev-r', 'external:eva', { purchase: 'external:ev-1' })
    await adjust('external:eva', 7)
    await withTx(pool, space, (tx) => changeMember(tx, 'external:eva', { name: 'Eva' }, undefined, door()))
    await withTx(pool, space, (tx) => pauseProgram(tx, 'coffee', door()))
    await withTx(pool, space, (tx) => resumeProgram(tx, 'coffee', door()))
    const events = await all()
    expect(events.map((event) => event.position)).toEqual(Array.from({ length: events.length }, (_, i) => i + 1))
    expect([...new Set(events.map((event) => event.type))].sort()).toEqual([
      'member.changed',
      'member.enrolled',
      'points.adjusted',
      'points.earned',
      'points.reversed',
      'points.spent',
      'program.paused',
      'program.resumed',
      'purchase.recorded',
      'purchase.returned',
      'rule.published',
    ])
    for (const event of events) EVENTS[event.type as EventType].parse(event.data)
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length)

    const hers = events.filter((event) => event.member === bought.body.member)
    expect(hers.map((event) => event.sequence)).toEqual(Array.from({ length: hers.length }, (_, i) => i + 1))
    expect(hers.map((event) => [event.type, 'points' in event.data ? event.data.points : undefined])).toEqual([
      ['member.enrolled', undefined],
      ['purchase.recorded', 15],
      ['points.earned', 10],
      ['points.earned', 5],
      ['points.spent', 3],
      ['purchase.returned', 12],
      ['points.reversed', 12],
      ['points.adjusted', 7],
      ['member.changed', undefined],
    ])
    expect(hers[1]).toMatchObject({
      data: { purchase: bought.body.id, externalId: 'ev-1', total: 1000, currency: 'GBP', program: 'coffee' },
    })
    expect(hers.at(-1)).toMatchObject({ data: { fields: ['name'], status: 'active', externalId: 'eva' } })
    expect(await listEvents(pool, known, space, { after: events.length, limit: 5 })).toEqual({
      data: [],
      next: String(events.length),
      hasMore: false,
    })
    expect((await listEvents(pool, known, shop.otherSpace, { after: 0, limit: 5 })).data).toEqual([])
  })

  it('reach a reader who follows while many write, each once and in order', async () => {
    const start = (await all()).length
    const writing = Promise.all(
      Array.from({ length: 60 }, (_, i) => shop.buy(`follow-${i}`, `external:follow-${i % 20}`, 100)),
    )
    const seen: number[] = []
    let done = false
    void writing.then(() => {
      done = true
    })
    for (let after = start; !done || seen.length < 60 * 3 + 20; ) {
      const page = await listEvents(pool, known, space, { after, limit: 7 })
      seen.push(...page.data.map((event) => event.position))
      after = Number(page.next)
    }
    expect(seen).toEqual(Array.from({ length: 60 * 3 + 20 }, (_, i) => start + 1 + i))
  })
})

describe('the number of statements', () => {
  it('does not grow with the number of rows', async () => {
    for (let i = 0; i < 60; i++) await shop.buy(`n-${i}`, 'external:ned', 100)
    const page = (limit: number) => ({ limit })
    const lists: ((limit: number) => (db: Db) => Promise<{ data: unknown[] }>)[] = [
      (limit) => (db) => listEntries(db, known, 'external:ned', {}, page(limit)),
      (limit) => (db) => listPurchases(db, known, 'external:ned', {}, page(limit)),
      (limit) => (db) => listMembers(db, {}, page(limit)),
    ]
    for (const list of lists) {
      const one = await statements(list(1))
      expect(await statements(list(100))).toBe(one)
      expect(one).toBeLessThanOrEqual(4)
    }
    const entry = (await entries('external:ned')).data[0]?.id as string
    expect(await statements((db) => readEntry(db, known, entry))).toBe(5)

    const stored = await read((db) => readEvents(db, 0, 500))
    expect(stored.length).toBeGreaterThan(200)
    expect(await statements((db) => expand(db, known, stored))).toBeLessThanOrEqual(5)
  })
})
