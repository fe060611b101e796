import { beforeAll, describe, expect, it } from 'vitest'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { changeWallet } from './configure-wallets.ts'
import { configurations } from './earning/configuration.ts'
import type { Ask } from './gate/asks.ts'
import { verify } from './verify.ts'
import { createWalletReader } from './views/wallets.ts'

/** What a return takes when the points are spent: by the wallet's policy, and how later points pay for it. */
let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
})

const policy = (negative: object) =>
  withTx(shop.pool, shop.space, (tx) =>
    changeWallet(tx, { program: 'coffee', wallet: 'points' }, { negative } as never, undefined, door()),
  )
const send = async (ask: Ask) => {
  const { status, body } = await shop.gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
const spend = (member: string, points: number) =>
  send({ verb: 'spend', member, wallet: 'points', points, reason: 'mug' })
const balance = async (member: string) =>
  (await createWalletReader(shop.pool, configurations()).read(shop.space, member))?.[0]
const sound = async () => expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()

describe('buy, spend, give back', () => {
  it('forbid: what is not there is written off, and the balance stays at zero', async () => {
    await policy({ policy: 'forbid' })
    await shop.buy('D1', 'external:a', 10_000)
    await spend('external:a', 80)
    const { body } = await shop.giveBack('E1', 'external:a', { purchase: 'external:D1' })
    expect(body).toMatchObject({ points: 20, reversed: [{ points: 20, writtenOff: 80 }] })
    expect(await balance('external:a')).toMatchObject({ available: 0, lifetimeReversed: 20 })
    await sound()
  })

  it('allow: the balance goes below zero, nothing can be spent, and later points pay the debt first', async () => {
    await policy({ policy: 'allow' })
    await shop.buy('D2', 'external:b', 10_000)
    await spend('external:b', 80)
    const { body } = await shop.giveBack('E2', 'external:b', { purchase: 'external:D2' })
    expect(body).toMatchObject({ points: 100, reversed: [{ points: 100, writtenOff: 0 }] })
    expect(body.wallets[0]).toMatchObject({ available: -80, lifetimeReversed: 100 })
    expect((await spend('external:b', 1)).body.code).toBe('insufficient_points')
    await sound()
    const { body: bought } = await shop.buy('D3', 'external:b', 3_000)
    expect(bought.wallets[0]).toMatchObject({ available: -50 })
    expect((await spend('external:b', 1)).body.code).toBe('insufficient_points')
    await sound()
    await shop.buy('D4', 'external:b', 6_000)
    expect(await balance('external:b')).toMatchObject({ available: 10 })
    expect((await spend('external:b', 10)).status).toBe(201)
    await sound()
  })

  it('what paid a debt can come back itself: the debt is owed again', async () => {
    await shop.buy('D5', 'external:c', 10_000)
    await spend('external:c', 100)
    await shop.giveBack('E5', 'external:c', { purchase: 'external:D5' })
    await shop.buy('D6', 'external:c', 10_000)
    expect(await balance('external:c')).toMatchObject({ available: 0 })
    await shop.giveBack('E6', 'external:c', { purchase: 'external:D6' })
    expect(await balance('external:c')).toMatchObject({ available: -100, lifetimeReversed: 200 })
    await sound()
  })

  it('floor: below zero only so far; the rest is written off', async () => {
    await policy({ policy: 'floor', floor: 30 })
    await shop.buy('D7', 'external:d', 10_000)
    await shop.buy('D8', 'external:d', 5_000)
    await spend('external:d', 150)
    const first = await shop.giveBack('E7', 'external:d', { purchase: 'external:D7' })
    expect(first.body).toMatchObject({ points: 30, reversed: [{ points: 30, writtenOff: 70 }] })
    const second = await shop.giveBack('E8', 'external:d', { purchase: 'external:D8' })
    expect(second.body.reversed).toMatchObject([{ points: 0, writtenOff: 50 }])
    expect(await balance('external:d')).toMatchObject({ available: -30 })
    await sound()
  })

  it('a debt is paid by an adjustment and by a transfer from a friend, too', async () => {
    await policy({ policy: 'allow' })
    await withTx(shop.pool, shop.space, (tx) =>
      changeWallet(tx, { program: 'coffee', wallet: 'points' }, { transfers: { min: 1 } }, undefined, door()),
    )
    await shop.buy('D9', 'external:e', 10_000)
    await shop.buy('D10', 'external:f', 10_000)
    await spend('external:e', 100)
    await shop.giveBack('E9', 'external:e', { items: [{ sku: 'beans', quantity: 1 }] })
    expect(await balance('external:e')).toMatchObject({ available: -100 })
    await send({ verb: 'adjust', member: 'external:e', wallet: 'points', points: 25, reason: 'sorry' })
    const gift: Ask = {
      verb: 'transfer',
      member: 'external:f',
      to: 'external:e',
      wallet: 'points',
      points: 90,
      reason: 'gift',
    }
    expect((await send(gift)).status).toBe(201)
    expect(await balance('external:e')).toMatchObject({ available: 15, lifetimeMoved: 90, lifetimeAdjusted: 25 })
    await sound()
  })

  it('many returns of one list, in any order, owe the same', async () => {
    const items = [{ sku: 'beans', quantity: 10, amount: 10_000 }]
    await shop.buy('D11', 'external:g', 0, { items })
    await spend('external:g', 100)
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        shop.giveBack(`E11-${i}`, 'external:g', { purchase: 'external:D11', items: [{ sku: 'beans', quantity: 1 }] }),
      ),
    )
    expect(await balance('external:g')).toMatchObject({ available: -100, lifetimeReversed: 100 })
    await sound()
  })

  it('merged with a debt, the other owes it', async () => {
    await shop.buy('D12', 'external:h', 10_000)
    await spend('external:h', 100)
    await shop.giveBack('E12', 'external:h', { purchase: 'external:D12' })
    await shop.buy('D13', 'external:i', 6_000)
    const { body } = await send({ verb: 'merge', member: 'external:i', from: 'external:h', reason: 'one person' })
    expect(body.moved).toMatchObject([{ points: -100 }])
    expect(await balance('external:h')).toMatchObject({ available: -40 })
    await sound()
  })
})
