import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { door } from '../tests/shop.ts'
import { openPool, withTx } from './base/db.ts'
import { changeMember } from './change-member.ts'
import { createWallet } from './configure-wallets.ts'
import type { Ask } from './gate/asks.ts'
import { lockMember } from './members/members.sql.ts'
import {
  DAY,
  START,
  shop,
  lateShop,
  settings,
  send,
  balance,
  give,
  spend,
  hold,
  sound,
  later,
  passed,
} from '../tests/late.ts'

/** Whoever was merged into another is that other, by every name and verb, until it is undone. */
lateShop()

describe('points that end by inactivity', () => {
  const slide = { expiry: { kind: 'sliding', period: 'P30D' } }
  afterEach(() => settings({ expiry: { kind: 'never' } }))

  it('a merge brings the deadline along, and the worker knows', async () => {
    await settings(slide)
    await shop.buy('s4', 'external:s4', 10_000)
    await settings({ expiry: { kind: 'never' } })
    await give('external:s4', 1).catch(() => {})
    await shop.buy('s5', 'external:s5', 100)
    await settings(slide)
    later(5 * DAY)
    expect((await send({ verb: 'merge', member: 'external:s5', from: 'external:s4', reason: 'twins' })).status).toBe(
      201,
    )
    later(26 * DAY)
    expect(await balance('external:s5')).toMatchObject({ available: 0 })
    await passed()
    expect((await shop.sql('select count(*)::int as n from entries where kind = 6'))[0]).toBeDefined()
    const [left] = await shop.sql(`select count(*)::int as n from member_states s join members m using (member_id)
      where m.external_id = 's5' and s.wallets like '%"x":102%'`)
    expect(left?.n).toBe(1)
    await sound()
  })

  it('a merge undone: what goes back ends by inactivity still', async () => {
    await settings(slide)
    await shop.buy('s6', 'external:s6', 10_000)
    await shop.buy('s7', 'external:s7', 100)
    await send({ verb: 'merge', member: 'external:s7', from: 'external:s6', reason: 'twins' })
    later(20 * DAY)
    await shop.buy('s8', 'external:s7', 100)
    later(9 * DAY)
    await send({ verb: 'unmerge', member: 'external:s7', from: 'external:s6', reason: 'not so' })
    later(3 * DAY) // 12 days after the last activity
    expect(await balance('external:s6')).toMatchObject({ available: 100 })
    later(20 * DAY)
    expect(await balance('external:s6')).toMatchObject({ available: 0 })
    await passed()
    await sound()
  })
})

describe('merges', () => {
  it('undone one after the other give back what came along at first', async () => {
    await shop.buy('m1', 'external:m1', 1_000)
    await shop.buy('m2', 'external:m2', 2_000)
    await shop.buy('m3', 'external:m3', 4_000)
    await send({ verb: 'merge', member: 'external:m2', from: 'external:m1', reason: 'a' })
    await send({ verb: 'merge', member: 'external:m3', from: 'external:m2', reason: 'b' })
    await send({ verb: 'unmerge', member: 'external:m3', from: 'external:m2', reason: 'c' })
    await send({ verb: 'unmerge', member: 'external:m2', from: 'external:m1', reason: 'd' })
    expect(await balance('external:m3')).toMatchObject({ available: 40 })
    expect(await balance('external:m2')).toMatchObject({ available: 20 })
    expect(await balance('external:m1')).toMatchObject({ available: 10 })
    await sound()
  })

  it('repeats of transfers and conversions by those who were merged are repeats', async () => {
    await withTx(shop.pool, shop.space, (tx) =>
      createWallet(tx, 'coffee', { slug: 'stars', unit: 'points' } as never, door()),
    )
    await settings({ transfers: { min: 1 }, conversions: [{ to: 'stars', give: 1, get: 1 }] })
    await shop.buy('m4', 'external:m4', 1_000)
    await shop.buy('m5', 'external:m5', 2_000)
    await shop.buy('m6', 'external:m6', 2_000)
    const moving: Ask = {
      verb: 'transfer',
      member: 'external:m4',
      to: 'external:m6',
      wallet: 'points',
      points: 2,
      reason: 'x',
      externalId: 't1',
    }
    const converting: Ask = {
      verb: 'convert',
      member: 'external:m4',
      from: 'points',
      to: 'stars',
      points: 2,
      externalId: 'c1',
    }
    expect((await send(moving)).status).toBe(201)
    expect((await send(converting)).status).toBe(201)
    await send({ verb: 'merge', member: 'external:m5', from: 'external:m4', reason: 'a' })
    expect((await send(moving)).status).toBe(200)
    expect((await send(converting)).status).toBe(200)
    await send({ verb: 'merge', member: 'external:m6', from: 'external:m5', reason: 'a' })
    expect((await send(moving)).status).toBe(200)
    await sound()
  })
})

describe('a merged member', () => {
  it('is the other by every verb', async () => {
    await settings({ transfers: { min: 1 }, conversions: [{ to: 'stars', give: 1, get: 1 }] })
    for (const who of ['g1', 'g2', 'g3', 'g4']) await shop.buy(`v-${who}`, `external:${who}`, 10_000)
    const spent = (
      await send({
        verb: 'spend',
        member: 'external:g1',
        wallet: 'points',
        points: 5,
        reason: 'mug',
        externalId: 'v-spend',
      })
    ).body
    const placed = await send({
      verb: 'hold',
      member: 'external:g1',
      wallets: [{ wallet: 'points', points: 5 }],
      minutes: 5,
      reason: 'o',
      externalId: 'v-hold',
    })
    expect((await send({ verb: 'merge', member: 'external:g2', from: 'external:g1', reason: 'a' })).body.code).toBe(
      'holds_open',
    )
    await send({ verb: 'capture', member: placed.body.member, hold: decodeId('hld', placed.body.id) as string })
    const asked = await give('external:g1', 5)
    expect((await send({ verb: 'merge', member: 'external:g2', from: 'external:g1', reason: 'a' })).status).toBe(201)
    expect((await send({ verb: 'merge', member: 'external:g3', from: 'external:g2', reason: 'b' })).status).toBe(201)
    const id = asked.body.member as string // g1, twice merged
    const code = async (ask: Ask) => {
      const { status, body } = await send(ask)
      return body.code ?? status
    }
    expect(await code({ verb: 'merge', member: 'external:g1', from: 'external:g3', reason: 'x' })).toBe('same_member')
    expect(await code({ verb: 'merge', member: 'external:g4', from: 'external:g1', reason: 'x' })).toBe('member_merged')
    expect(await code({ verb: 'unmerge', member: 'external:g4', from: 'external:g1', reason: 'x' })).toBe('merge_over')
    expect(
      await code({ verb: 'transfer', member: id, to: 'external:g3', wallet: 'points', points: 1, reason: 'x' }),
    ).toBe('same_member')
    expect(
      await code({ verb: 'transfer', member: id, to: 'external:g4', wallet: 'points', points: 1, reason: 'x' }),
    ).toBe(201)
    expect(await code({ verb: 'convert', member: id, from: 'points', to: 'stars', points: 2 })).toBe(201)
    expect(await code({ verb: 'spend', member: id, wallet: 'points', points: 3, reason: 'x' })).toBe(201)
    expect(
      await code({ verb: 'spend', member: id, wallet: 'points', points: 5, reason: 'mug', externalId: 'v-spend' }),
    ).toBe(200)
    expect(
      await code({
        verb: 'spend',
        member: 'external:g3',
        wallet: 'points',
        points: 5,
        reason: 'mug',
        externalId: 'v-spend',
      }),
    ).toBe(200)
    expect(
      await code({
        verb: 'hold',
        member: id,
        wallets: [{ wallet: 'points', points: 5 }],
        minutes: 5,
        reason: 'o',
        externalId: 'v-hold',
      }),
    ).toBe(200)
    expect(await code({ verb: 'time', member: id })).toBe(200)
    const bought = await shop.buy('v-g1', id, 10_000, { occurredAt: START * 1000 })
    expect(bought.status).toBe(200)
    const more = (await shop.buy('v-new', id, 1_000)).body.wallets[0]
    expect(more).toEqual(await balance('external:g3'))
    expect((await shop.giveBack('v-back', id, { purchase: 'external:v-g1' })).status).toBe(201)
    expect((await shop.giveBack('v-back', id, { purchase: 'external:v-g1' })).status).toBe(200)
    const again = await hold(id, 5)
    expect(await code({ verb: 'release', ...again })).toBe(200)
    const change = (patch: object, ref = id) =>
      withTx(shop.pool, shop.space, (tx) => changeMember(tx, ref, patch as never, undefined, door()))
    expect((await change({ status: 'suspended' })).member).toMatchObject({ externalId: 'g3', status: 'suspended' })
    expect(await code({ verb: 'spend', member: 'external:g2', wallet: 'points', points: 1, reason: 'x' })).toBe(
      'member_suspended',
    )
    await change({ status: 'active' }, 'external:g1')
    await sound()
    expect(await code({ verb: 'unmerge', member: 'external:g3', from: 'external:g2', reason: 'x' })).toBe(200)
    expect(await code({ verb: 'unmerge', member: 'external:g2', from: id, reason: 'x' })).toBe(200)
    await sound()
    expect(await code({ verb: 'refund', member: id, spend: spent.entries[0], reason: 'x' })).toBe(201)
    expect((await shop.giveBack('v-back2', 'external:g2', { purchase: 'external:v-g2' })).status).toBe(201)
    await sound()
  })

  it('stays merged though its profile is changed at that moment: it is the profile of the other', async () => {
    await shop.buy('q1', 'external:q1', 1_000)
    await shop.buy('q2', 'external:q2', 1_000)
    const [q1] = await shop.sql("select member_id from members where external_id = 'q1'")
    const pool = openPool(shop.url, { max: 2 })
    let merging: Promise<{ status: number }> | undefined
    let changing: Promise<{ member: object }> | undefined
    await withTx(pool, shop.space, async (tx) => {
      await lockMember(tx, String(q1?.member_id))
      merging = send({ verb: 'merge', member: 'external:q2', from: 'external:q1', reason: 'a' })
      await sleep(100) // it waits for the profile
      changing = withTx(pool, shop.space, (other) =>
        changeMember(other, 'external:q1', { status: 'suspended' }, undefined, door()),
      )
      await sleep(100)
    })
    expect((await merging)?.status).toBe(201)
    expect((await changing)?.member).toMatchObject({ externalId: 'q2', status: 'suspended' })
    expect(await shop.sql("select status from members where external_id = 'q1'")).toEqual([{ status: 'merged' }])
    await pool.end()
    await sound()
  })

  it('undone, each has what a return took of the wrong one, or what was refunded into it', async () => {
    for (const who of ['r1', 'r2']) await shop.buy(`w-${who}`, `external:${who}`, 2_000)
    const what = { wallet: 'points', points: 20, reason: 'mug', externalId: 'w-spend' }
    await send({ verb: 'spend', member: 'external:r1', ...what })
    await send({ verb: 'merge', member: 'external:r2', from: 'external:r1', reason: 'a' })
    const refund = { verb: 'refund', spend: 'external:w-spend', reason: 'x' } as const
    await send({ ...refund, member: 'external:r1', points: 3 })
    await shop.giveBack('w-back', 'external:r1', { purchase: 'external:w-r1' })
    expect(await balance('external:r2')).toMatchObject({ available: 3 })
    const undone = await send({ verb: 'unmerge', member: 'external:r2', from: 'external:r1', reason: 'a' })
    expect(undone.status).toBe(200)
    expect(await balance('external:r2')).toMatchObject({ available: 20, lifetimeReversed: 3 }) // of what had come along
    expect(await balance('external:r1')).toMatchObject({ available: 0, lifetimeReversed: 0 })
    await sound()
    await send({ ...refund, member: 'external:r1' })
    expect(await balance('external:r1')).toMatchObject({ available: 0, lifetimeReversed: 17 })
    await sound()
  })

  it('takes along what returns wrote off: a refund makes it good, through whomever it comes, and back again', async () => {
    const refund = (member: string, points?: number) =>
      send({ verb: 'refund', spend: 'external:y-spend', reason: 'x', member, ...(points ? { points } : {}) })
    const merge = (member: string, from: string) => send({ verb: 'merge', member, from, reason: 'a' })
    for (const who of ['y2', 'y3', 'y4']) await shop.buy(`w-${who}`, `external:${who}`, 0)
    await shop.buy('w-y1', 'external:y1', 4_000)
    const what = { wallet: 'points', points: 30, reason: 'mug', externalId: 'y-spend' }
    await send({ verb: 'spend', member: 'external:y1', ...what })
    await merge('external:y2', 'external:y1')
    const back = await shop.giveBack('y-back', 'external:y1', { purchase: 'external:w-y1' })
    expect(back.body.reversed).toMatchObject([{ points: 10, writtenOff: 30 }])
    await merge('external:y3', 'external:y2')
    expect((await refund('external:y1', 12)).status).toBe(201)
    expect(await balance('external:y3')).toMatchObject({ available: 0, lifetimeReversed: 12 })
    await sound()
    await send({ verb: 'unmerge', member: 'external:y3', from: 'external:y2', reason: 'a' })
    await send({ verb: 'unmerge', member: 'external:y2', from: 'external:y1', reason: 'a' })
    await merge('external:y4', 'external:y1') // who never had anything to do with that return
    expect((await refund('external:y1', 8)).status).toBe(201)
    expect(await balance('external:y4')).toMatchObject({ available: 0, lifetimeReversed: 8 })
    await sound()
    await send({ verb: 'unmerge', member: 'external:y4', from: 'external:y1', reason: 'a' })
    await refund('external:y1')
    for (const who of ['y1', 'y2', 'y3', 'y4']) expect((await balance(`external:${who}`))?.available ?? 0).toBe(0)
    await sound()
  })

  it('takes what it owes along, also where the other has pending points, and back again', async () => {
    await settings({ negative: { policy: 'allow' } })
    await shop.buy('o1', 'external:o1', 10_000)
    await spend('external:o1', 80)
    await shop.giveBack('o-back', 'external:o1', { purchase: 'external:o1' })
    expect(await balance('external:o1')).toMatchObject({ available: -80 })
    await settings({ pending: { kind: 'period', period: 'P5D' } })
    await shop.buy('o2', 'external:o2', 5_000)
    await settings({ pending: { kind: 'none' } })
    await shop.buy('o3', 'external:o2', 1_000)
    await send({ verb: 'merge', member: 'external:o2', from: 'external:o1', reason: 'a' })
    const owed = await balance('external:o2')
    expect((owed?.available ?? 0) + (owed?.pending ?? 0)).toBe(-20)
    await sound()
    later(6 * DAY)
    expect(await balance('external:o2')).toMatchObject({ available: -20, pending: 0 })
    await passed()
    expect(await balance('external:o2')).toMatchObject({ available: -20, pending: 0 })
    await sound()
    await send({ verb: 'unmerge', member: 'external:o2', from: 'external:o1', reason: 'a' })
    expect(await balance('external:o1')).toMatchObject({ available: -80 })
    expect(await balance('external:o2')).toMatchObject({ available: 60 })
    await sound()
    await settings({ negative: { policy: 'forbid' } })
  })
})
