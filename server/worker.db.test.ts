import pino from 'pino'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { newId } from '@laurel/engine/base/ids'
import { openDatabase, type TestDatabase } from '../tests/database.ts'
import { startWorker } from './worker.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openDatabase()
})

function work(): { said: () => string; close(): Promise<void> } {
  let said = ''
  const logger = pino(
    {},
    {
      write: (line: string) => {
        said += line
      },
    },
  )
  const worker = startWorker({ databaseUrl: database.url, logger })
  onTestFinished(() => worker.close())
  return { said: () => said, close: () => worker.close() }
}

function batch(space: number): Promise<unknown> {
  return database.sql(
    "insert into outbox (space_id, batch_id, count, recorded_at, events, row_digest) values ($1, $2, 2, now(), '[]', $2)",
    [space, newId()],
  )
}

async function waiting(): Promise<number> {
  const [row] = await database.sql('select count(*)::int as n from outbox where first_position is null')
  return row?.n as number
}

const soon = { timeout: 8_000, interval: 50 }

test('numbers the events of every space; of two workers one leads, and the other takes over', async () => {
  const first = work()
  await batch(database.space)
  await batch(database.otherSpace)
  await vi.waitUntil(async () => (await waiting()) === 0, soon)
  const positions = await database.sql('select space_id, first_position::int as first from outbox order by 1')
  expect(positions).toEqual([
    { space_id: database.space, first: 1 },
    { space_id: database.otherSpace, first: 1 },
  ])

  work()
  await first.close()
  await batch(database.space)
  await vi.waitUntil(async () => (await waiting()) === 0, soon)
})

test('a connection that is cut is said, and made again', async () => {
  const { said } = work()
  const lead =
    "select pid from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())"
  await vi.waitUntil(async () => (await database.sql(lead)).length > 0, soon)
  await database.sql(`select pg_terminate_backend(pid) from (${lead}) as leader`)
  await batch(database.space)
  await vi.waitUntil(async () => (await waiting()) === 0, soon)
  expect(said()).toContain('The worker failed and will try again')
})

test('forgets answers to idempotency keys after 30 days, not before', async () => {
  await database.sql(
    `insert into idempotency_keys (space_id, key, request, status, answer, created_at)
     select $1, gen_random_uuid(), gen_random_uuid(), 201, '{}', now() - make_interval(days => case when n <= 2500 then 31 else 29 end)
       from generate_series(1, 2503) n`,
    [database.space],
  )
  const { said } = work()
  await vi.waitUntil(() => said().includes('older than 30 days'), soon)
  expect(await database.sql('select count(*)::int as n from idempotency_keys')).toEqual([{ n: 3 }])
})

test('tells of every budget that is used up, once', async () => {
  await database.sql(
    `insert into budgets (space_id, rule_id, period, points_spent, points_limit)
     select space_id, n, 'all', 100 + n, 102 from spaces, generate_series(1, 3) n`,
  )
  const { said } = work()
  await vi.waitUntil(() => said().includes('Budgets are used up'), soon)
  const untold = 'select count(*)::int as n from budgets where spent and told_at is null'
  await vi.waitUntil(async () => (await database.sql(untold))[0]?.n === 0, soon)
  const told = await database.sql("select space_id, events from outbox where events like '%budget.spent%' order by 1")
  const spent = [2, 3].map((rule) => ['budget.spent', null, null, { ruleId: rule, period: 'all', points: 100 + rule }])
  expect(told.map((row) => JSON.parse(String(row.events)))).toEqual([spent, spent])
})

test('tells of every pool that runs low, once', async () => {
  await database.sql(
    `with program as (
       insert into programs (space_id, id, slug, name, timezone, currency, join_policy, status, created_at, updated_at)
       values ($1, gen_random_uuid(), 'codes', 'Codes', 'UTC', 'GBP', 'explicit', 'active', now(), now()) returning program_id
     )
     insert into code_pools (space_id, id, program_id, slug, name, reusable, low_at, next, last, created_at, updated_at)
     select $1, gen_random_uuid(), program_id, 'pool-' || n, 'Pool', false, 5, 10 - n, 10, now(), now()
       from program, generate_series(4, 6) n`,
    [database.space],
  )
  work()
  const untold = 'select count(*)::int as n from code_pools where low and told_at is null'
  await vi.waitUntil(async () => (await database.sql(untold))[0]?.n === 0, soon)
  const [told, ...more] = await database.sql("select events from outbox where events like '%code_pool.low%'")
  const events = JSON.parse(String(told?.events)) as [string, null, null, { slug: string; left: number }][]
  expect(more).toEqual([])
  expect(events.map(([type, , , { slug, left }]) => [type, slug, left])).toEqual([
    ['code_pool.low', 'pool-4', 4],
    ['code_pool.low', 'pool-5', 5],
  ])
})
