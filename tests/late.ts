import { decodeId } from '../contract/ids.ts'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import { withTx } from '../engine/base/db.ts'
import { changeWallet } from '../engine/configure-wallets.ts'
import { configurations } from '../engine/earning/configuration.ts'
import type { Ask } from '../engine/gate/asks.ts'
import { passDue } from '../engine/pass-time.ts'
import { verify } from '../engine/verify.ts'
import { createWalletReader } from '../engine/views/wallets.ts'
import { door, openShop, type Shop } from './shop.ts'

export const DAY = 86_400_000
export const START = Date.UTC(2027, 0, 10, 12)
export let shop: Shop

/** A shop whose clock is moved by hand and goes back to START after each test: registers the hooks for it. */
export function lateShop(): void {
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(START)
    shop = await openShop()
    await shop.rule('per_amount', { points: 1, per: 100 })
  })
  afterEach(() => vi.setSystemTime(START))
  afterAll(() => vi.useRealTimers())
}

export const settings = (patch: object, wallet = 'points') =>
  withTx(shop.pool, shop.space, (tx) => changeWallet(tx, { program: 'coffee', wallet }, patch, undefined, door()))
export const send = async (ask: Ask): Promise<{ status: number; body: any }> => {
  const { status, body } = await shop.gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
export const balance = async (member: string) =>
  (await createWalletReader(shop.pool, configurations()).read(shop.space, member))?.[0]
export const give = (member: string, points: number) =>
  send({ verb: 'adjust', member, wallet: 'points', points, reason: 'gift' })
export const spend = (member: string, points: number) =>
  send({ verb: 'spend', member, wallet: 'points', points, reason: 'mug' })
export const hold = async (member: string, points: number, minutes = 15) => {
  const { status, body } = await send({
    verb: 'hold',
    member,
    wallets: [{ wallet: 'points', points }],
    minutes,
    reason: 'o',
  })
  expect(status).toBe(201)
  return { member: body.member as string, hold: decodeId('hld', body.id) as string }
}
export const sound = async () => expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
export const later = (ms: number) => vi.setSystemTime(Date.now() + ms)
export const passed = async () => await passDue(shop.pool, shop.gate, shop.space, 500)
