import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeId } from '@laurel/contract/ids'
import { DAY } from '@laurel/contract/instants'
import { gateBeside } from '../tests/pair.ts'
import { NOW, door, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { configurations } from './earning/configuration.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { getMember } from './members/members.ts'
import { verify } from './verify.ts'
import { createWalletReader } from './views/wallets.ts'
import { changeWallet } from './configure-wallets.ts'

let shop: Shop
const gateOf = (unguarded = false): Gate => gateBeside(shop, { unguarded, ...(unguarded ? { singlesMax: 5 } : {}) }) // short lists meet more often

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  await settings({ transfers: { min: 1, max: 100_000 } })
})
afterAll(async () => {
  vi.useRealTimers()
})

/** A merge patch keeps what it does not name: transfers are said anew each time. */
const settings = async (changes: object) => {
  for (const patch of [...('transfers' in changes ? [{ transfers: null }] : []), changes]) {
    await withTx(shop.pool, shop.space, (tx) =>
      changeWallet(tx, { program: 'coffee', wallet: 'points' }, patch, undefined, door()),
    )
  }
}
const send = async (ask: Ask, gate: Gate = shop.gate) => {
  const { status, body } = await gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
const balance = async (member: string) => {
  const wallets = await createWalletReader(shop.pool, configurations()).read(shop.space, member)
  return wallets?.[0]
}
const transferring = (member: string, to: string, points: number, more: object = {}): Ask => ({
  verb: 'transfer',
  member,
  to,
  wallet: 'points',
  points,
  reason: 'gift',
  ...more,
})

const backAndForth = async (gates: [Gate, Gate], a: string, b: string, times: number) => {
  const outcomes = await Promise.all(
    Array.from({ length: times }, (_, i) =>
      send(i % 2 === 0 ? transferring(a, b, 1) : transferring(b, a, 1), gates[i % 3 === 0 ? 1 : 0]).catch(
        (error: Error) => ({ status: 500, body: error.message }),
      ),
    ),
  )
  return outcomes.map((one) => one.status)
}

describe('a transfer', () => {
  it('takes from one and gives to the other, with a fee on top, and keeps when the points end', async () => {
    await settings({ transfers: { feePercent: 10, feePoints: 1 }, expiry: { kind: 'rolling', period: 'P1Y' } })
    await shop.buy('T1', 'external:ann', 10_000)
    await shop.buy('T2', 'external:bob', 100)
    const { status, body } = await send(transferring('external:ann', 'external:bob', 50, { externalId: 'gift-1' }))
    expect(status).toBe(201)
    expect(body).toMatchObject({ points: 50, fee: 6, wallet: 'points' })
    expect(body.entries).toHaveLength(2)
    expect(await balance('external:ann')).toMatchObject({ available: 44, lifetimeMoved: -56 })
    expect(await balance('external:bob')).toMatchObject({ available: 51, lifetimeMoved: 50 })
    const again = await send(transferring('external:ann', 'external:bob', 50, { externalId: 'gift-1' }))
    expect(again.status).toBe(200)
    expect(again.body).toMatchObject({ id: body.id, fee: 6, entries: body.entries })
    const other = await send(transferring('external:ann', 'external:bob', 51, { externalId: 'gift-1' }))
    expect(other.body.code).toBe('external_id_conflict')
    const [lot] = await shop.sql(
      `select e.expires_at as "theirs", o.expires_at as "ours" from entries e, entries o
        where e.kind = 10 and e.to_account = 1 and o.kind = 1 and o.points = 100`,
    )
    expect(lot?.theirs).toEqual(lot?.ours)
    await settings({ transfers: { min: 1, max: 100_000 }, expiry: { kind: 'never' } })
  })

  it('is refused to oneself, beyond its limits, and where it is not allowed; nothing moves', async () => {
    await shop.buy('T3', 'external:cat', 10_000)
    await shop.buy('T4', 'external:dog', 100)
    await settings({ transfers: { min: 10, max: 60, perDay: 80 } })
    const code = async (to: string, points: number) =>
      (await send(transferring('external:cat', to, points))).body.code ?? 'ok'
    expect(await code('external:cat', 20)).toBe('same_member')
    expect(await code('external:dog', 5)).toBe('transfer_refused')
    expect(await code('external:dog', 61)).toBe('transfer_refused')
    expect(await code('external:nobody', 20)).toBe('member_unknown')
    expect(await code('external:dog', 50)).toBe('ok')
    expect(await code('external:dog', 31)).toBe('transfer_refused') // 81 today
    expect(await code('external:dog', 30)).toBe('ok')
    await settings({ transfers: null })
    expect(await code('external:dog', 10)).toBe('transfer_refused')
    await settings({ transfers: { min: 1, max: 100_000 } })
    expect(await balance('external:cat')).toMatchObject({ available: 20 })
  })

  it('a limit a day holds in one list: two at once do not go beyond it together', async () => {
    await shop.buy('T5', 'external:eve', 10_000)
    await settings({ transfers: { perDay: 60 } })
    const both = await Promise.all([1, 2, 3].map(() => send(transferring('external:eve', 'external:dog', 30))))
    expect(both.map((one) => one.status).sort((a, b) => a - b)).toEqual([201, 201, 409])
    await settings({ transfers: { min: 1, max: 100_000 } })
  })

  it('A to B and B to A, a thousand at once through two processes: no error, no loss', async () => {
    await shop.buy('T6', 'external:f', 100_000)
    await shop.buy('T7', 'external:g', 100_000)
    const statuses = await backAndForth([gateOf(), gateOf()], 'external:f', 'external:g', 1000)
    expect(new Set(statuses)).toEqual(new Set([201]))
    const [f, g] = [await balance('external:f'), await balance('external:g')]
    expect((f?.available ?? 0) + (g?.available ?? 0)).toBe(2000)
    expect(f?.available).toBe(1000)
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })
})

describe('a merge', () => {
  it('brings lots along at their age, and every name of the other leads to the one', async () => {
    await settings({ expiry: { kind: 'rolling', period: 'P1Y' } })
    const old = NOW() - 100 * DAY
    await shop.buy('M1', 'external:h', 5_000, { occurredAt: old })
    await shop.buy('M2', 'external:i', 1_000)
    const { status, body } = await send({ verb: 'merge', member: 'external:i', from: 'external:h', reason: 'twins' })
    expect(status).toBe(201)
    expect(body.moved).toEqual([{ program: 'coffee', wallet: 'points', points: 50 }])
    expect(await balance('external:i')).toMatchObject({ available: 60 })
    expect(await balance('external:h')).toMatchObject({ available: 60 })
    const [lot] = await shop.sql(
      'select extract(epoch from expires_at - occurred_at) / 86400 as days from entries where kind = 12 and to_account = 1',
    )
    expect(Number(lot?.days)).toBeLessThan(367) // counted from when it was bought, not from the merge
    const again = await send({ verb: 'merge', member: 'external:i', from: 'external:h', reason: 'twins' })
    expect(again).toMatchObject({ status: 200, body: { id: body.id } })
    const profile = await withTx(shop.pool, shop.space, (tx) => getMember(tx, 'external:h'))
    expect(profile.member.externalId).toBe('i')
    await shop.buy('M3', 'external:h', 700)
    expect(await balance('external:i')).toMatchObject({ available: 67 })
    await settings({ expiry: { kind: 'never' } })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it("what the other bought can come back: it is taken from the one's lots, its own first", async () => {
    await shop.buy('M4', 'external:j', 5_000)
    await shop.buy('M5', 'external:k', 1_000)
    await send({ verb: 'merge', member: 'external:k', from: 'external:j', reason: 'twins' })
    const back = await shop.giveBack('R4', 'external:k', { purchase: 'external:M4' })
    expect(back.status).toBe(201)
    expect(back.body.points).toBe(50)
    expect(await balance('external:k')).toMatchObject({ available: 10, lifetimeReversed: 50 })
    const twice = await shop.giveBack('R5', 'external:j', { purchase: 'external:M4' })
    expect(twice.body.code).toBe('return_exceeds_purchase')
    const matched = await shop.giveBack('R6', 'external:j', { items: [{ sku: 'beans', quantity: 1 }] })
    expect(matched.body.points).toBe(10)
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it('is undone within 30 days, as far as nothing was spent', async () => {
    await shop.buy('M6', 'external:l', 5_000)
    await shop.buy('M7', 'external:m', 1_000)
    await send({ verb: 'merge', member: 'external:m', from: 'external:l', reason: 'twins' })
    await send({ verb: 'spend', member: 'external:m', wallet: 'points', points: 25, reason: 'mug' })
    const { status, body } = await send({ verb: 'unmerge', member: 'external:m', from: 'external:l', reason: 'not so' })
    expect(status).toBe(200)
    const [l, m] = [await balance('external:l'), await balance('external:m')]
    expect((l?.available ?? 0) + (m?.available ?? 0)).toBe(35)
    expect(l?.available).toBe(body.moved[0].points)
    expect(
      (await send({ verb: 'spend', member: 'external:l', wallet: 'points', points: 1, reason: 'mug' })).status,
    ).toBe(201)
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it('undone, each owes what it owed, and has what it paid of what the other owed, at its age', async () => {
    const owe = (negative: object) => settings({ negative })
    await owe({ policy: 'allow' })
    for (const [debtor, payer] of [
      ['du', 'pu'],
      ['dv', 'pv'],
    ] as const) {
      await shop.buy(`D-${debtor}`, `external:${debtor}`, 8_000)
      await send({ verb: 'spend', member: `external:${debtor}`, wallet: 'points', points: 80, reason: 'mug' })
      await shop.giveBack(`B-${debtor}`, `external:${debtor}`, { purchase: `external:D-${debtor}` })
      await shop.buy(`D-${payer}`, `external:${payer}`, 5_000)
      const [into, from] = debtor === 'du' ? [payer, debtor] : [debtor, payer] // whoever of the two lives on
      await send({ verb: 'merge', member: `external:${into}`, from: `external:${from}`, reason: 'twins' })
      expect(await balance(`external:${into}`)).toMatchObject({ available: -30 })
      await shop.buy(`M-${debtor}`, `external:${into}`, 4_000) // pays the rest
      expect(await balance(`external:${into}`)).toMatchObject({ available: 10 })
      const undone = await send({ verb: 'unmerge', member: `external:${into}`, from: `external:${from}`, reason: 'no' })
      expect(undone.body.moved).toEqual([{ program: 'coffee', wallet: 'points', points: into === payer ? -80 : 50 }])
      expect(await balance(`external:${into}`)).toMatchObject({ available: into === payer ? 90 : -40 })
      expect(await balance(`external:${from}`)).toMatchObject({ available: from === payer ? 50 : -80 })
      expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
    }
    await owe({ policy: 'forbid' })
  })

  it('what was written off of what the other bought is made good by what comes back to it, also when the merge was undone', async () => {
    await shop.buy('W1', 'external:wa', 1_000)
    await shop.buy('W2', 'external:wb', 8_000)
    const spends = (name: string, points: number, externalId: string) =>
      send({ verb: 'spend', member: name, wallet: 'points', points, reason: 'mug', externalId })
    await spends('external:wb', 50, 'W-s1')
    await send({ verb: 'merge', member: 'external:wa', from: 'external:wb', reason: 'twins' })
    await spends('external:wa', 40, 'W-s2') // ten of its own, the last thirty of the other's
    const back = await shop.giveBack('W-r', 'external:wa', { purchase: 'external:W2' })
    expect(back.body.reversed).toMatchObject([{ points: 0, writtenOff: 80 }])
    await send({ verb: 'unmerge', member: 'external:wa', from: 'external:wb', reason: 'no' })
    const refund = (member: string, spend: string) =>
      send({ verb: 'refund', member, spend: `external:${spend}`, reason: 'a mistake' })
    expect((await refund('external:wb', 'W-s1')).status).toBe(201)
    expect((await refund('external:wa', 'W-s2')).status).toBe(201)
    expect(await balance('external:wa')).toMatchObject({ available: 10 })
    expect(await balance('external:wb')).toMatchObject({ available: 0 })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it('is not undone while what came along is held: it would stay with the wrong one', async () => {
    await shop.buy('H1', 'external:ha', 1_000)
    await shop.buy('H2', 'external:hb', 2_000)
    await send({ verb: 'merge', member: 'external:hb', from: 'external:ha', reason: 'twins' })
    const wallets = [{ wallet: 'points', points: 30 }]
    const placed = await send({ verb: 'hold', member: 'external:hb', wallets, minutes: 9, reason: 'an order' })
    const undo: Ask = { verb: 'unmerge', member: 'external:hb', from: 'external:ha', reason: 'no' }
    expect((await send(undo)).body.code).toBe('holds_open')
    const hold = decodeId('hld', placed.body.id) ?? ''
    expect((await send({ verb: 'release', member: placed.body.member, hold })).status).toBe(200)
    expect((await send(undo)).status).toBe(200)
    expect(await balance('external:ha')).toMatchObject({ available: 10 })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })

  it('after 30 days it stays', async () => {
    await shop.buy('M8', 'external:n', 5_000)
    await shop.buy('M9', 'external:o', 1_000)
    await send({ verb: 'merge', member: 'external:o', from: 'external:n', reason: 'twins' })
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 31 * 86_400_000)
    const late = await send({ verb: 'unmerge', member: 'external:o', from: 'external:n', reason: 'not so' })
    vi.useRealTimers()
    expect(late.body.code).toBe('merge_over')
  })

  it('races with purchases of both: nothing is lost', async () => {
    await shop.buy('M10', 'external:p', 1_000)
    await shop.buy('M11', 'external:q', 1_000)
    const [one, two] = [gateOf(), gateOf()]
    const buys = Array.from({ length: 60 }, (_, i) =>
      send(
        {
          verb: 'purchase',
          program: 'coffee',
          externalId: `race-${i}`,
          member: i % 2 ? 'external:p' : 'external:q',
          occurredAt: NOW(),
          currency: 'GBP',
          items: [{ sku: 'beans', quantity: 1, amount: 100 }],
        },
        i % 3 ? one : two,
      ),
    )
    const merged = await send({ verb: 'merge', member: 'external:p', from: 'external:q', reason: 'twins' }, two)
    expect(merged.status).toBe(201)
    expect(new Set((await Promise.all(buys)).map((b) => b.status))).toEqual(new Set([201]))
    expect(await balance('external:q')).toMatchObject({ available: 80 })
    expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
  })
})

describe('control: without the version check, and without the key of entries that is a second guard', () => {
  it('transfers overwrite one another, and verify says so', async () => {
    await shop.buy('T8', 'external:x', 100_000)
    await shop.buy('T9', 'external:y', 100_000)
    await shop.sql('alter table entries drop constraint entries_pkey')
    const gates: [Gate, Gate] = [gateOf(true), gateOf(true)]
    for (let round = 0; round < 20; round++) {
      await backAndForth(gates, 'external:x', 'external:y', 50)
      if ((await verify(shop.pool, shop.space)).wrong) return
    }
    expect.unreachable('two careless processes got through')
  })
})
