import { verify } from '@laurel/engine/verify'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openDatabase } from '../tests/database.ts'
import { externalIdOf, memberIdOf, memberOf } from './population.ts'
import { fill } from './seed.ts'

const database = await openDatabase()

test('what SQL has seeded is what the engine would have made of it', async () => {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await fill(client, 500, 1_200)
  await client.end()

  const report = await verify(database.pool, database.space)
  expect(report.wrong).toBeUndefined()
  expect(report).toMatchObject({ members: 500, entries: 1_200, purchases: 1_200 })

  const [member] = await database.sql('select member_id as id from members where external_id = $1', [externalIdOf(7)])
  expect(member).toEqual({ id: memberOf(7) })
  expect(memberIdOf(7)).toMatch(/^mem_/)
})
