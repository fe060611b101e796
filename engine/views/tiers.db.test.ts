import { expect, test } from 'vitest'
import { newId } from '../base/ids.ts'
import { type Db, withRead, withTx } from '../base/db.ts'
import { createLadder } from '../configure-ladders.ts'
import { configurations } from '../earning/configuration.ts'
import { readFor, coursesFor } from './tier-standings.ts'
import { currentConfiguration } from './current.ts'
import { listMemberTiers, listTierHistory } from './tiers.ts'
import { openShop } from '../../tests/shop.ts'

/** What reading tiers costs: the same for one ladder as for ten, and for one member as for all. */
const shop = await openShop()
const { pool, space } = shop
const known = configurations()
await shop.rule('per_amount', { points: 1, per: 100 })
const members: string[] = []
for (let i = 0; i < 30; i++) members.push((await shop.buy(`p${i}`, `external:m${i}`, 5_000)).body.member)

/** With the configuration known already. */
async function statements(work: (db: Db) => Promise<unknown>): Promise<number> {
  let count = 0
  await withRead(pool, space, (db) => currentConfiguration(db, known))
  await withRead(pool, space, async (db) => {
    const query: Db['query'] = (...args) => {
      count += 1
      return db.query(...args)
    }
    await work({ ...db, query })
  })
  return count
}
const make = (slug: string, kind: 'spend' | 'balance') =>
  withTx(pool, space, (tx) =>
    createLadder(
      tx,
      {
        program: 'coffee',
        slug,
        name: slug,
        metric: kind === 'balance' ? { kind, wallet: 'points' } : { kind },
        window: { kind: 'calendar', per: 'year' },
        tiers: [{ slug: 'some', name: 'Some', threshold: 10 }],
      },
      { now: Date.now() * 1000, newId },
    ),
  )
const now = () => Date.now() * 1000
const ask = (db: Db) => listMemberTiers(db, known, 'external:m1', {}, now())

test('a member’s tiers cost the same statements, however many ladders there are', async () => {
  await make('first', 'spend')
  await make('second', 'balance')
  const fresh = await statements(ask)
  await shop.buy('again', 'external:m1', 100)
  const two = await statements(ask)
  expect([fresh, two]).toEqual([10, 7])
  for (let i = 0; i < 5; i++) await make(`ladder-${i}`, i % 2 ? 'spend' : 'balance')
  await shop.buy('once more', 'external:m1', 100)
  expect(await statements(ask)).toBe(two)
  expect((await withRead(pool, space, ask)).data.map(({ tier }) => tier)).toEqual(Array(7).fill('some'))
  expect(await statements((db) => listTierHistory(db, { member: 'external:m1', ladder: 'first' }, { limit: 9 }))).toBe(
    3,
  )
})

test('and the same for two members as for thirty, one of each counted before', async () => {
  const ids = (await shop.sql('select member_id as id from members order by member_id')).map(({ id }) => id as string)
  const configuration = await withRead(pool, space, (db) => currentConfiguration(db, known))
  const cost = (some: string[]) =>
    statements((db) => readFor(db, configuration, some, coursesFor(configuration), now()))
  expect(ids.length).toBe(members.length)
  expect(await cost(ids)).toBe(await cost(ids.slice(0, 2)))
})

test('who became one before a ladder was made counts together on it', async () => {
  const merge = { verb: 'merge', member: 'external:m3', from: 'external:m4', reason: 'Two cards' } as const
  expect((await shop.gate.submit(space, merge)).status).toBe(201)
  await make('after', 'spend')
  const { data } = await withRead(pool, space, (db) => listMemberTiers(db, known, 'external:m4', {}, now()))
  expect(data.at(-1)).toMatchObject({ ladder: 'after', counted: 10_000 })
})
