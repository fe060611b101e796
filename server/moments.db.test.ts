import pino from 'pino'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { withTx } from '../engine/base/db.ts'
import { enroll } from '../engine/enroll.ts'
import { verify } from '../engine/verify.ts'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { createMoments } from './moments.ts'
import { connectOwner } from './owner.ts'
import { startWorker, type Worker } from './worker.ts'

let shop: Shop
const workers: Worker[] = []
const soon = { timeout: 15_000, interval: 50 }

beforeAll(async () => {
  shop = await openShop()
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()))
})

const work = () => {
  const worker = startWorker({ databaseUrl: shop.url, logger: pino({ level: 'silent' }) })
  workers.push(worker)
  return worker
}
const joinMany = (from: number, n: number) =>
  withTx(shop.pool, shop.space, async (tx) => {
    for (let i = from; i < from + n; i++) await enroll(tx, { externalId: `m-${i}` }, door())
  })
const welcomed = async () => {
  const [row] = await shop.sql('select count(*)::int as n from activities')
  return row?.n
}

test('a space whose rules listen to no moment costs a look at its configuration’s version', async () => {
  await joinMany(0, 5)
  const owner = await connectOwner(shop.url, 'laurel-test')
  const taken = vi.spyOn(shop.pool, 'connect')
  const moments = createMoments(shop.pool, shop.gate)
  const stop = new AbortController().signal
  expect(await moments.look(owner, stop)).toBe(0)
  const atFirst = taken.mock.calls.length
  const asked = vi.spyOn(owner, 'query')
  await vi.waitUntil(async () => {
    await moments.look(owner, stop)
    return asked.mock.calls.length === 2
  }, soon)
  expect(taken.mock.calls.length).toBe(atFirst)
  taken.mockRestore()
  await owner.end()
})

test('workers welcome everyone once, whichever of them leads, and go on where one stopped', async () => {
  await shop.rule('fixed', { points: 5 }, { on: { event: 'member', moment: 'joined' } } as object)
  const [first] = [work(), work()]
  await joinMany(100, 60)
  await vi.waitUntil(async () => Number(await welcomed()) > 0, soon)
  await first?.close()
  await joinMany(200, 60)
  await vi.waitUntil(async () => (await welcomed()) === 120, soon)
  const rows = await shop.sql('select from activities group by member_id having count(*) <> 1')
  expect(rows).toEqual([])
  expect(await shop.sql('select sum(points)::int as points from entries')).toEqual([{ points: 600 }])
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
