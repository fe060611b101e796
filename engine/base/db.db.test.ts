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
