import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { ran } from '../../server/laurel-for-tests.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/**
 * Members' years, made at random, with the clock moved by hand: points that wait, expire, are held, given back, sent,
 * merged. Whatever happens, an explanation says the numbers that GET wallets says; and asked later about an instant,
 * those that it said then.
 */
const database = await openDatabase()
let api: TestApi

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-05T09:00:00Z') })
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'club', name: 'Club', timezone: 'Europe/Berlin', currency: 'EUR' }
  await made('POST', '/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await made('POST', '/v1/programs/club/wallets', { slug: 'stars', expiry: { kind: 'sliding', period: 'P30D' } })
  await made('PATCH', '/v1/programs/club/wallets/points', {
    expiry: { kind: 'rolling', period: 'P60D', roundUp: 'month' },
    refundGrace: 'P10D',
    negative: { policy: 'floor', floor: 40 },
    transfers: { feePercent: 10 },
    conversions: [{ to: 'stars', give: 5, get: 2 }],
  })
  const rule = { program: 'club', kind: 'per_amount', args: { points: 1, per: 100 } }
  await made('POST', '/v1/earning-rules', {
    ...rule,
    name: 'A point a euro',
    pending: { kind: 'period', period: 'P3D' },
  })
  await made('POST', '/v1/earning-rules', {
    ...rule,
    name: 'A star a purchase',
    kind: 'fixed',
    args: { points: 3 },
    wallet: 'stars',
  })
})
afterAll(async () => {
  await api.close()
  vi.useRealTimers()
  expect(api.faults).toEqual([])
})

async function made(method: string, path: string, body: object) {
  const told = await api.call(method, path, body)
  expect(told.status, told.text).toBeLessThan(300)
  return told.body
}

type Numbers = Record<string, number>
const MEMBERS = ['ada', 'bob'] as const

/** What GET wallets says of a member's two wallets, by slug. */
async function walletsOf(member: string): Promise<Map<string, Numbers>> {
  const { body } = await api.call('GET', `/v1/members/external:${member}/wallets`)
  return new Map(body.data.map((wallet: Numbers & { wallet: string }) => [wallet.wallet, wallet]))
}

async function explained(member: string, slug: string, at?: string) {
  const query = at === undefined ? '' : `&at=${at}`
  const told = await api.call('GET', `/v1/members/${member}/wallets/${slug}/explain?limit=100${query}`)
  expect(told.status, told.text).toBe(200)
  return told.body
}

/** The numbers that both tell. */
function numbersOf(answer: any): Numbers {
  const { available, pending, held, lifetime, ...said } = answer
  return lifetime
    ? { available, pending, held, ...lifetime }
    : {
        available,
        pending,
        held,
        earned: said.lifetimeEarned,
        spent: said.lifetimeSpent,
        reversed: said.lifetimeReversed,
        expired: said.lifetimeExpired,
        adjusted: said.lifetimeAdjusted,
        moved: said.lifetimeMoved,
      }
}

function dice(seed: number) {
  let state = seed
  return (n: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** One thing that may happen; what the API refuses does not happen. Answers what it was, for a failure to tell. */
async function happen(random: (n: number) => number, year: string, step: number, seen: Seen): Promise<string> {
  const member = `${year}-${MEMBERS[random(2)]}`
  const other = `${year}-${MEMBERS[random(2)]}`
  const to = `/v1/members/external:${member}`
  const wallet = random(3) === 0 ? 'stars' : 'points'
  const points = 1 + random(25)
  const name = `${year}-${step}`
  const pick = <T>(all: T[]): T | undefined => all[random(Math.max(1, all.length))]
  const acts: Record<string, () => Promise<{ status: number; body: any }>> = {
    buy: () => api.call('POST', '/v1/purchases', purchase(name, member, 100 * points)),
    buyMore: () => api.call('POST', '/v1/purchases', purchase(name, member, 300 * points)),
    return: () =>
      api.call('POST', '/v1/returns', {
        program: 'club',
        member: `external:${member}`,
        externalId: name,
        occurredAt: new Date().toISOString(),
        items: [{ sku: 'THING', quantity: 1 + random(2) }],
      }),
    spend: () => api.call('POST', `${to}/spend`, { wallet, points, reason: 'coffee', externalId: name }),
    adjust: () => api.call('POST', `${to}/adjust`, { wallet, points: points - 10 || 1, reason: 'sorry' }),
    hold: () => api.call('POST', `${to}/holds`, { wallet, points, minutes: 60 + random(10_000), reason: 'table' }),
    capture: () =>
      api.call('POST', `/v1/holds/${seen.holds.at(-1)}/capture`, random(2) ? { points: 1 + random(9) } : {}),
    release: () => api.call('POST', `/v1/holds/${pick(seen.holds)}/release`, {}),
    refund: () => api.call('POST', `${to}/refunds`, { spend: pick(seen.spends) ?? 'ent_none', reason: 'broken' }),
    transfer: () =>
      api.call('POST', `${to}/transfers`, { to: `external:${other}`, wallet: 'points', points, reason: 'gift' }),
    convert: () => api.call('POST', `${to}/conversions`, { from: 'points', to: 'stars', points: 5 * points }),
    change: async () => {
      const { lots = [] } = await explained(`external:${member}`, wallet)
      const act = pick(['activate', 'cancel', 'extend', 'reinstate'])
      const more = act === 'extend' ? { expiresAt: new Date(Date.now() + 80 * 86_400_000).toISOString() } : {}
      return api.call('POST', `/v1/entries/${pick<any>(lots)?.entry}/${act}`, { reason: 'kindness', ...more })
    },
  }
  const act = step < 3 ? 'buyMore' : (pick(Object.keys(acts)) ?? 'buy')
  const told = await (acts[act] as () => Promise<{ status: number; body: any }>)()
  if (told.status === 201 && act === 'hold') seen.holds.push(told.body.id)
  if (told.status === 201 && act === 'spend') seen.spends.push(told.body.entries[0])
  seen.done.set(act, (seen.done.get(act) ?? 0) + (told.status < 300 ? 1 : 0))
  return `step ${step}: ${act} by ${member} → ${told.status}`
}

const purchase = (externalId: string, member: string, amount: number) => ({
  program: 'club',
  externalId,
  member: `external:${member}`,
  occurredAt: new Date().toISOString(),
  currency: 'EUR',
  items: [{ sku: 'THING', quantity: 2, amount }],
})

type Seen = { holds: string[]; spends: string[]; done: Map<string, number> }

describe('a year', () => {
  const done = new Map<string, number>()
  const stood = new Set<string>()
  test.each([1, 2, 3, 4])(
    'made at random (%i) is explained, as it is and as it was',
    async (seed) => {
      const random = dice(seed)
      const seen: Seen = { holds: [], spends: [], done }
      const then: { what: string; at: string; member: string; slug: string; numbers: Numbers }[] = []
      for (const member of MEMBERS) await made('POST', '/v1/members', { externalId: `y${seed}-${member}` })
      for (let step = 1; step <= 90; step++) {
        vi.setSystemTime(Date.now() + 1_000 + random(4) * random(20) * 3_600_000)
        const what = await happen(random, `y${seed}`, step, seen)
        vi.setSystemTime(Date.now() + 1_000 + (random(3) === 0 ? random(12) * 86_400_000 : 0))
        const member = `y${seed}-${MEMBERS[random(2)]}`
        const at = new Date().toISOString()
        for (const [slug, says] of await walletsOf(member)) {
          const now = await explained(`external:${member}`, slug)
          expect(numbersOf(now), `${what}; ${slug} of ${member} at ${at}`).toEqual(numbersOf(says))
          for (const part of ['available', 'pending', 'held', 'due', 'owed']) if (now[part] > 0) stood.add(part)
          expect(now.balance).toBe(now.available + now.pending + now.held + now.due)
          const sum = (all: { remaining?: number; points: number }[]) =>
            all.reduce((s, one) => s + (one.remaining ?? one.points), 0)
          if (now.next === null) expect(now.balance).toBe(sum(now.lots) - sum(now.debts))
          then.push({ what, at, member, slug, numbers: numbersOf(says) })
        }
      }
      vi.setSystemTime(Date.now() + 1_000)
      for (const { what, at, member, slug, numbers } of then) {
        const was = await explained(`external:${member}`, slug, at)
        expect(numbersOf(was), `asked later: ${what}; ${slug} of ${member} at ${at}`).toEqual(numbers)
      }
    },
    120_000,
  )

  test('had everything in it', () => {
    const never = [...done].filter(([, times]) => times === 0).map(([act]) => act)
    expect(never).toEqual([])
    expect(done.size).toBe(12)
    expect([...stood].toSorted()).toEqual(['available', 'due', 'held', 'owed', 'pending'])
  })

  test('says what came free and is sought by a return, before and after that is booked', async () => {
    await made('PATCH', '/v1/programs/club/wallets/points', { negative: null, expiry: null })
    const eve = '/v1/members/external:eve'
    await made('POST', '/v1/purchases', purchase('eve-1', 'eve', 10_000))
    vi.setSystemTime(Date.now() + 4 * 86_400_000)
    await made('POST', `${eve}/holds`, { wallet: 'points', points: 60, minutes: 30, reason: 'table' })
    const back = { program: 'club', member: 'external:eve', externalId: 'eve-2', purchase: 'external:eve-1' }
    const told = await made('POST', '/v1/returns', { ...back, occurredAt: new Date().toISOString(), items: 'all' })
    expect(told.reversed).toMatchObject([{ points: 40, writtenOff: 60 }, { wallet: 'stars' }])
    expect(await explained('external:eve', 'points')).toMatchObject({ held: 60, due: 0, lifetime: { reversed: 40 } })
    vi.setSystemTime(Date.now() + 30 * 60_000)
    const free = { balance: 60, available: 0, held: 0, due: 60, lifetime: { reversed: 100 } }
    const now = await explained('external:eve', 'points')
    expect(now).toMatchObject({ ...free, lots: [{ remaining: 60, due: 60, state: 'active' }] })
    expect(now.sentences.slice(1)).toEqual([
      'Of that: 60 points that nobody can spend any more.',
      expect.stringContaining('60 points of it go back for a return that had found too little. Nothing of it is left.'),
    ])
    expect(numbersOf(now)).toEqual(numbersOf((await walletsOf('eve')).get('points')))
    expect((await api.call('GET', `${eve}/lots?wallet=points`)).body.data).toEqual([])
    const at = new Date().toISOString()
    vi.setSystemTime(Date.now() + 60_000)
    await made('POST', `${eve}/adjust`, { wallet: 'points', points: 1, reason: 'looks' }) // books it
    expect(await explained('external:eve', 'points')).toMatchObject({ balance: 1, due: 0, lifetime: { reversed: 100 } })
    expect(await explained('external:eve', 'points', at)).toMatchObject(free)
  })

  test('counts what waited for an event in vain as taken back, not as expired, before and after that is booked', async () => {
    await made('POST', '/v1/activity-types', {
      program: 'club',
      slug: 'delivered',
      name: 'Delivered',
      schema: { type: 'object' },
    })
    const pending = { kind: 'event', activity: 'delivered', cancelAfter: 'P2D' }
    const waits = { program: 'club', name: 'Waits', kind: 'fixed', args: { points: 7 }, pending }
    await made('POST', '/v1/earning-rules', waits)
    for (const member of ['flo', 'gil']) await made('POST', '/v1/purchases', purchase(`${member}-1`, member, 0))
    vi.setSystemTime(Date.now() + 2 * 86_400_000)
    const says = { available: 0, pending: 0, earned: 7, reversed: 7, expired: 0 }
    const before = await explained('external:flo', 'points')
    expect([numbersOf(before), before.due]).toEqual([expect.objectContaining(says), 7])
    expect(numbersOf((await walletsOf('flo')).get('points'))).toMatchObject(says)
    await made('POST', '/v1/members/external:flo/adjust', { wallet: 'points', points: 1, reason: 'looks' })
    expect(numbersOf(await explained('external:flo', 'points'))).toMatchObject({ ...says, available: 1 })
    expect(numbersOf((await walletsOf('flo')).get('points'))).toMatchObject({ ...says, available: 1 })
    // nobody has looked at gil's, nor at what came free of a hold of hal's: the journal below adds up all the same
    await made('POST', '/v1/purchases', purchase('hal-1', 'hal', 1000))
    vi.setSystemTime(Date.now() + 4 * 86_400_000)
    await made('POST', '/v1/members/external:hal/holds', { wallet: 'points', points: 10, reason: 'table' })
    const back = { program: 'club', member: 'external:hal', externalId: 'hal-2', purchase: 'external:hal-1' }
    await made('POST', '/v1/returns', { ...back, occurredAt: new Date().toISOString(), items: 'all' })
    vi.setSystemTime(Date.now() + 20 * 60_000)
    expect(numbersOf((await walletsOf('hal')).get('points'))).toMatchObject({ available: 0, held: 0, reversed: 17 })
  })

  test('is derived again by verify, and added up again by hledger and ledger', async () => {
    expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
    const directory = await mkdtemp(join(tmpdir(), 'laurel-year-'))
    const file = join(directory, 'year.journal')
    const { code, said } = await ran(['export', 'journal', '--out', file], { DATABASE_URL: database.url })
    expect([code, said]).toEqual([0, said])
    const run = (program: string, ...args: string[]) => {
      const { status, stdout, error } = spawnSync(program, ['--file', file, ...args], { encoding: 'utf8' })
      if (error) throw new Error(`${program} is missing: apt-get install hledger ledger`, { cause: error })
      return { status, stdout }
    }
    expect(run('ledger', 'balance').status).toBe(0)
    expect(run('hledger', 'check').status).toBe(0)
    // what is on its way between members or wallets has arrived: nothing stays there but what became of it in the
    // other wallet
    expect(run('hledger', 'balance', '--no-total', 'transfers', 'merged').stdout).toBe('')
    await rm(directory, { recursive: true })
  })
})
