import { expect, test } from 'vitest'
import { withRead, withTx } from '../engine/base/db.ts'
import { openDatabase } from './database.ts'

const database = await openDatabase()

test('a file has a migrated database of its own, reached as laurel_app and bound to a space', async () => {
  const read = await withRead(database.pool, database.space, (db) =>
    db.query<{ role: string; mode: string }>('select current_user as role, mode from spaces'),
  )
  expect(read).toEqual([{ role: 'laurel_app', mode: 'live' }])
  const other = await withTx(database.pool, database.otherSpace, (tx) =>
    tx.query<{ mode: string }>('select mode from spaces'),
  )
  expect(other).toEqual([{ mode: 'test' }])
})

test('the server is the one that was asked for', async () => {
  const [row] = await database.sql("select current_setting('server_version_num')::int / 10000 as major")
  expect(row).toEqual({ major: Number(process.env.LAUREL_TEST_PG || 18) })
})
