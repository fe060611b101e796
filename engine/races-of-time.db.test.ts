import { beforeAll, describe, expect, it } from 'vitest'
import { dropEntryKeys, inTurn, openPair, type Pair } from '../tests/pair.ts'
import { NOW } from '../tests/shop.ts'
import { keyOf } from './base/keys.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'

/** Spending against spending, and against the end of what is spent: two processes, and the worker of each, at once. */
let careful: Pair
/** Versions are not compared, and nothing keeps an entry's number from being used twice. */
let careless: Pair

beforeAll(async () => {
  careful = await openPair(false)
  careless = await openPair(true)
  await dropEntryKeys(careless)
})

const spending = (member: string, points: number): Ask => ({
  verb: 'spend',
  member,
  wallet: 'points',
  points,
  reason: 'mug',
})
const many = ({ shop, gates }: Pair, times: number, ask: (i: number) => Ask): Promise<number[]> =>
  inTurn(gates, times, async (gate, i) => (await gate.submit(shop.space, ask(i))).status)
const done = (statuses: number[]) => statuses.filter((status) => status === 201).length
const wrong = async ({ shop }: Pair) => (await verify(shop.pool, shop.space)).wrong?.what

/** Points that were brought along, in so many lots, and end so many milliseconds from now. */
async function brings(pair: Pair, name: string, lots: number, points: number, ms: number): Promise<number> {
  const member = `external:${name}`
  await pair.shop.buy(`joins-${name}`, member, 0)
  const expiresAt = NOW() + ms * 1000
  const open = (i: number): Ask => ({
    verb: 'open',
    member,
    program: 'coffee',
    wallet: 'points',
    points,
    earnedAt: NOW() - 1_000_000,
    expiresAt,
    externalId: `${name}-${i}`,
  })
  expect(done(await many(pair, lots, open))).toBe(lots)
  return expiresAt
}

async function sums(
  { shop }: Pair,
  name: string,
): Promise<{ spent: number; expired: number; late: number; least: number }> {
  const [row] = await shop.sql(
    `select coalesce(sum(points) filter (where kind = 2), 0) as spent, coalesce(sum(points) filter (where kind = 6), 0) as expired,
            count(*) filter (where kind = 2 and booked_at >= (select max(expires_at) from entries o where o.member_id = e.member_id)) as late,
            (select coalesce(min(remaining), 0) from lots l where l.member_id = (array_agg(e.member_id))[1]) as least
       from entries e join lookups n using (member_id) where n.key = $1`,
    [keyOf('member.external', name)],
  )
  return {
    spent: Number(row?.spent),
    expired: Number(row?.expired),
    late: Number(row?.late),
    least: Number(row?.least),
  }
}

describe('200 spends of a balance for one', () => {
  it('one', async () => {
    await brings(careful, 'poor', 1, 10, 60_000)
    expect(done(await many(careful, 200, () => spending('external:poor', 10)))).toBe(1)
    expect(await sums(careful, 'poor')).toMatchObject({ spent: 10, least: 0 })
    expect(await wrong(careful)).toBeUndefined()
  })

  it('control: where nothing guards, several, and verify says so', async () => {
    let most = 0
    for (let i = 0; i < 20 && most < 2; i++) {
      await brings(careless, `rich-${i}`, 1, 10, 60_000)
      most = Math.max(most, done(await many(careless, 20, () => spending(`external:rich-${i}`, 10))))
    }
    expect(most).toBeGreaterThan(1)
    expect(await wrong(careless)).toBeDefined()
  })
})

describe('points that end while they are spent', () => {
  /** Spends one by one from well before the end until after it, while both workers look for what is due. */
  async function race(pair: Pair, name: string): Promise<void> {
    const member = `external:${name}`
    const end = await brings(pair, name, 60, 200, 1_200)
    const spends = async (gate: Gate) => {
      while (NOW() < end + 200_000) await gate.submit(pair.shop.space, spending(member, 1))
    }
    const works = async (gate: Gate) => {
      while (NOW() < end + 300_000) await passDue(pair.shop.pool, gate, pair.shop.space, 100)
    }
    await Promise.all(pair.gates.flatMap((gate) => [spends(gate), spends(gate), works(gate)]))
  }

  it('are spent or expired, once, and none is spent that has expired', async () => {
    await race(careful, 'ann')
    const { spent, expired, late, least } = await sums(careful, 'ann')
    expect(spent + expired).toBe(12_000)
    expect(spent).toBeGreaterThan(0)
    expect(expired).toBeGreaterThan(0)
    expect([late, least]).toEqual([0, 0])
    expect(await wrong(careful)).toBeUndefined()
  })

  it('control: where nothing guards, some go twice, and verify says so', async () => {
    let lost: string | undefined
    for (let i = 0; i < 5 && !lost; i++) {
      await race(careless, `ben-${i}`)
      lost = await wrong(careless)
    }
    expect(lost).toBeDefined()
  })
})
