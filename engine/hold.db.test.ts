import { beforeAll, describe, expect, it } from 'vitest'
import { decodeEntryId, decodeId } from '../contract/ids.ts'
import { dropEntryKeys, openPair, type Pair, send } from '../tests/pair.ts'
import type { Shop } from '../tests/shop.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { passDue } from './pass-time.ts'
import { verify } from './verify.ts'

let careful: Pair
/** Versions are not compared, and nothing keeps an entry's number from being used twice. */
let careless: Pair

beforeAll(async () => {
  careful = await openPair(false)
  careless = await openPair(true)
  await dropEntryKeys(careless)
})

const at = <T>(pair: Pair, n: number, ask: (i: number) => Ask, map: (told: { status: number; body: any }) => T) =>
  Promise.all(Array.from({ length: n }, async (_, i) => map(await send(pair.gates[i % 2] as Gate, pair.shop, ask(i)))))
const count = <T>(all: readonly T[], one: T) => all.filter((each) => each === one).length
const codeOf = (told: { status: number; body: any }) => told.body.code ?? told.status
const wrong = async ({ shop }: Pair) => (await verify(shop.pool, shop.space)).wrong?.what

let n = 0
async function rich({ shop }: Pair, pounds = 100): Promise<string> {
  const who = `external:m${++n}`
  await shop.buy(`b-${n}`, who, pounds * 100)
  return who
}
const holding = (member: string, points: number, more: object = {}): Ask => ({
  verb: 'hold',
  member,
  wallets: [{ wallet: 'points', points }],
  minutes: 15,
  reason: 'order',
  ...more,
})
/** A hold of points of somebody new: the hold, and asks that end it. */
async function placed(pair: Pair) {
  const { body } = await send(pair.gates[0], pair.shop, holding(await rich(pair), 60))
  const of = { member: body.member as string, hold: decodeId('hld', body.id) as string }
  const capture = (points = 60): Ask => ({ verb: 'capture', ...of, points })
  const release = (): Ask => ({ verb: 'release', ...of })
  return { ...of, capture, release }
}
async function spent(pair: Pair) {
  const member = await rich(pair)
  const { body } = await send(pair.gates[0], pair.shop, {
    verb: 'spend',
    member,
    wallet: 'points',
    points: 60,
    reason: 'mug',
  })
  const entry: string = body.entries[0]
  const refund = (points: number, externalId?: string): Ask => ({
    verb: 'refund',
    member,
    spend: entry,
    points,
    reason: 'back',
    ...(externalId === undefined ? {} : { externalId }),
  })
  return { entry, refund }
}

describe('100 captures of one hold', () => {
  it('spend once, and all are told the same; other amounts are refused', async () => {
    const { capture, member } = await placed(careful)
    const answers = await at(
      careful,
      100,
      (i) => capture(i % 10 === 0 ? 60 : 59),
      (told) => codeOf(told),
    )
    const [won, lost] = count(answers, 200) === 10 ? [10, 90] : [90, 10]
    expect([count(answers, 200), count(answers, 'hold_over')]).toEqual([won, lost])
    const rows = await careful.shop.sql('select points from entries where member_id = $1 and kind = 2', [
      decodeId('mem', member),
    ])
    expect(rows).toHaveLength(1)
    expect(await wrong(careful)).toBeUndefined()
  })

  it('control: where nothing guards, they spend more than once, and verify says so', async () => {
    let found: string | undefined
    for (let i = 0; i < 20 && !found; i++) {
      const { capture } = await placed(careless)
      await at(careless, 4, () => capture(), codeOf)
      found = await wrong(careless)
    }
    expect(found).toBeDefined()
  })
})

describe('capture, release and lapse at once', () => {
  it('have one outcome', async () => {
    for (let i = 0; i < 15; i++) {
      const { capture, release, hold } = await placed(careful)
      const answers = await at(careful, 8, (k) => (k % 4 < 2 ? capture() : release()), codeOf)
      const [row] = await careful.shop.sql('select status from holds where hold_id = $1', [hold])
      const one = row?.status === 2 ? [200, 200, 'hold_over', 'hold_over'] : ['hold_over', 'hold_over', 200, 200]
      expect(answers).toEqual([...one, ...one])
    }
    expect(await wrong(careful)).toBeUndefined()
  })

  it('past the deadline it has lapsed, whoever comes first, and is told of once', async () => {
    const { capture, release, hold } = await placed(careful)
    await backdate(careful.shop, hold)
    const [, , ...answers] = await Promise.all([
      passDue(careful.shop.pool, careful.gates[0], careful.shop.space, 100),
      passDue(careful.shop.pool, careful.gates[1], careful.shop.space, 100),
      ...Array.from({ length: 10 }, (_, i) =>
        send(careful.gates[i % 2] as Gate, careful.shop, i < 5 ? capture() : release()),
      ),
    ])
    expect(answers.slice(0, 5).map(codeOf)).toEqual(Array(5).fill('hold_over'))
    expect(answers.slice(5).map(({ body }) => body.status)).toEqual(Array(5).fill('lapsed'))
    const told = await careful.shop.sql(
      `select from outbox, json_array_elements(events::json) e where e::text like '%points.released%' and e::text like $1`,
      [`%${hold}%`],
    )
    expect(told).toHaveLength(1)
    expect(await wrong(careful)).toBeUndefined()
  })
})

/** As if it had been placed an hour ago; its digest covers how long it holds, not when. */
async function backdate(shop: Shop, hold: string): Promise<void> {
  await shop.sql(
    `update holds set placed_at = placed_at - interval '1 hour', deadline = deadline - interval '1 hour' where hold_id = $1`,
    [hold],
  )
  await shop.sql(
    `update member_states s set due_at = due_at - interval '1 hour',
            wallets = regexp_replace(wallets, '"u":([0-9]+)', '"u":' || (substring(wallets from '"u":([0-9]+)')::bigint - 3600000000))
      where member_id = (select member_id from holds where hold_id = $1)`,
    [hold],
  )
}

describe('100 holds on points for one', () => {
  it('one stands', async () => {
    const who = await rich(careful)
    const answers = await at(careful, 100, () => holding(who, 60), codeOf)
    expect([count(answers, 201), count(answers, 'insufficient_points')]).toEqual([1, 99])
  })

  it('with one external id: one, and all are told of it', async () => {
    const who = await rich(careful)
    const answers = await at(
      careful,
      100,
      () => holding(who, 1, { externalId: `h-${who}` }),
      ({ status, body }) => `${status} ${body.id}`,
    )
    expect(answers.filter((told) => told.startsWith('201'))).toHaveLength(1)
    expect(new Set(answers.map((told) => told.slice(4))).size).toBe(1)
  })
})

describe('100 refunds of one spend at once', () => {
  it('give back what was spent, once', async () => {
    const whole = await spent(careful)
    expect(count(await at(careful, 100, () => whole.refund(60), codeOf), 201)).toBe(1)
    const parts = await spent(careful)
    const answers = await at(careful, 100, () => parts.refund(7), codeOf)
    expect([count(answers, 201), count(answers, 'refund_exceeds_spend')]).toEqual([8, 92])
    const named = await spent(careful)
    const again = await at(careful, 100, () => named.refund(7, `f-${named.entry}`), codeOf)
    expect([count(again, 201), count(again, 200)]).toEqual([1, 99])
    const { member, seq } = decodeEntryId(parts.entry) ?? { member: '', seq: 0 }
    const [sum] = await careful.shop.sql('select sum(points) from entries where member_id = $1 and reverses = $2', [
      member,
      seq,
    ])
    expect(Number(sum?.sum)).toBe(56)
    expect(await wrong(careful)).toBeUndefined()
  })

  it('control: where nothing guards, they give back more than was spent, and verify says so', async () => {
    let given = 0
    for (let i = 0; i < 20 && given < 2; i++) {
      const { refund } = await spent(careless)
      given = count(await at(careless, 4, () => refund(60), codeOf), 201)
    }
    expect(given).toBeGreaterThan(1)
    expect(await wrong(careless)).toBeDefined()
  })
})

describe('a process that is killed between loading and saving', () => {
  it('leaves nothing of a hold, a capture or a refund; the same asked again succeeds', async () => {
    const { shop, gates } = careful
    const who = await rich(careful)
    const { capture, hold } = await placed(careful)
    const { refund } = await spent(careful)
    const stored = async () =>
      await shop.sql(
        `select (select count(*) from entries) as entries, (select count(*) from holds) as holds, (select count(*) from outbox) as told,
                (select count(*) from lookups) as names, (select sum(version) from member_states) as versions,
                (select status from holds where hold_id = $1) as status`,
        [hold],
      )
    const before = await stored()
    // The last thing that is written ends the connection that writes it, as if the process had died.
    await shop.sql(`create function die() returns trigger language plpgsql security definer as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return new; end $$`)
    await shop.sql('create trigger die before insert on outbox for each row execute function die()')
    for (const ask of [holding(who, 5), capture(), refund(5)]) {
      expect((await send(gates[0], shop, ask)).status).toBe(503)
    }
    expect(await stored()).toEqual(before)
    await shop.sql('drop trigger die on outbox')
    for (const ask of [holding(who, 5), capture(), refund(5)]) {
      expect((await send(gates[0], shop, ask)).status).toBeLessThan(300)
    }
    expect(await wrong(careful)).toBeUndefined()
  })
})
