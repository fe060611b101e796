import { randomBytes } from 'node:crypto'
import { expect, inject, onTestFinished, test } from 'vitest'
import { run, toDatabase } from '../tests/connect.ts'
import { call, ran, started } from './laurel-for-tests.ts'

/** An empty database of one's own, as DATABASE_URL: on the server that this ring of tests runs on. */
async function emptyDatabase(): Promise<string> {
  const server = inject('server')
  const name = `start_${randomBytes(6).toString('hex')}`
  await run(server.ownerUrl, `create database ${name}`)
  onTestFinished(() => run(server.superuserUrl, `drop database ${name} with (force)`).then(() => {}))
  return toDatabase(server.ownerUrl, name)
}

const PROGRAM = { slug: 'coffee', name: 'Coffee', timezone: 'UTC', currency: 'GBP', joinPolicy: 'on_first_purchase' }

test('one process of each role on a database of your own', async () => {
  const env = { DATABASE_URL: await emptyDatabase(), LAUREL_DATA_DIR: '/nonexistent/never-made' }
  const early = await ran(['api'], env)
  expect(early).toMatchObject({ code: 1, said: expect.stringContaining('laurel migrate') as string })
  expect((await ran(['migrate'], env)).said).toContain('0001_foundation')

  const bootstrap = `lk_test_${randomBytes(16).toString('hex')}`
  const api = await started({ ...env, LAUREL_BOOTSTRAP_KEY: bootstrap }, 'api')
  expect((await call(api.url, bootstrap, '/v1/programs', PROGRAM)).status).toBe(201)
  const made = await ran(['keys', 'create', '--mode', 'live', '--scope', 'programs:read'], env)
  const live = /lk_live_\w{43}/.exec(made.said)?.[0]
  expect((await call(api.url, live, '/v1/programs')).body).toMatchObject({ data: [] }) // live and test data are apart
  expect((await call(api.url, live, '/v1/programs', PROGRAM)).status).toBe(403)
  expect(await ran(['verify', '--mode', 'test'], env)).toMatchObject({ code: 0 })

  api.child.kill('SIGTERM')
  expect(await api.ended).toMatchObject({ code: 0 })
})

test('start on a database of your own migrates it; the bootstrap key is a key from the first start on', async () => {
  const env = { DATABASE_URL: await emptyDatabase(), LAUREL_BOOTSTRAP_KEY: 'chosen-by-automation' }
  const first = await started(env)
  expect(first.key).toBeUndefined() // there is one already
  expect(first.said()).not.toContain('chosen-by-automation')
  expect((await call(first.url, 'chosen-by-automation', '/v1/programs', PROGRAM)).status).toBe(201)
  expect((await call(first.url, 'chosen-by-nobody', '/v1/programs')).status).toBe(401)
})

test('a database that is newer than the code, or cannot be reached, is refused with what to do', async () => {
  const env = { DATABASE_URL: await emptyDatabase() }
  await ran(['migrate'], env)
  await run(
    env.DATABASE_URL,
    `insert into laurel_migrations values ('9999_from_the_future', '2030-01-01T00:00:00.000Z')`,
  )
  const newer = await ran(['start'], env)
  expect(newer).toMatchObject({ code: 1, said: expect.stringContaining('newer than this Laurel') as string })

  const nowhere = await ran(['start'], { DATABASE_URL: 'postgresql://laurel:hunter2@127.0.0.1:1/laurel' })
  expect(nowhere.code).toBe(1)
  expect(nowhere.said).toContain('nothing answers at postgresql://laurel:…@127.0.0.1:1/laurel')
  expect(nowhere.said).not.toContain('hunter2')
})
