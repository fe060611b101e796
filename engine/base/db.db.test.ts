import { expect, test } from 'vitest'
import { withTx } from './db.ts'
import { openDatabase } from '../../tests/database.ts'

const database = await openDatabase()

test('a connection that is cut while it is in use fails its work, and nothing else', async () => {
  const cut = withTx(database.pool, database.space, async (tx) => {
    const [row] = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
    await database.sql('select pg_terminate_backend($1)', [row?.pid])
    await new Promise((done) => setTimeout(done, 100)) // idle in the transaction: nobody waits for an answer
    await tx.query('select 1')
  })
  await expect(cut).rejects.toThrow()
  const [row] = await withTx(database.pool, database.space, (tx) => tx.query('select 1 as one'))
  expect(row).toEqual({ one: 1 })
})

test('two transactions that block each other both end: one gives way and is done again', async () => {
  const { pool, space, sql } = await openDatabase()
  await sql(
    `insert into lots (space_id, member_id, seq, remaining) values ($1, gen_random_uuid(), 1, 0), ($1, gen_random_uuid(), 2, 0)`,
    [space],
  )
  let tries = 0
  const cross = (first: number, second: number) =>
    withTx(pool, space, async (tx) => {
      tries += 1
      await tx.query('update lots set remaining = remaining + 1 where seq = $1', [first])
      await new Promise((resolve) => setTimeout(resolve, 200))
      await tx.query('update lots set remaining = remaining + 1 where seq = $1', [second])
    })
  await Promise.all([cross(1, 2), cross(2, 1)])
  expect(tries).toBeGreaterThan(2)
  expect(await sql('select remaining from lots order by seq')).toEqual([{ remaining: '2' }, { remaining: '2' }])
})
