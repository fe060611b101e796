import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { call, laurel, npmStart, postgresPid, ran, started, temporaryDirectory } from './laurel-for-tests.ts'

/** What the banner tells people to paste, sent as it stands there. */
async function followBanner(url: string, said: string): Promise<number[]> {
  const statuses: number[] = []
  for (const [, address, key, body] of said.matchAll(/curl (\S+) -H "Authorization: Bearer (\S+)" .*-d '(.*)'$/gm)) {
    statuses.push(
      (await call(url, key, new URL(address as string).pathname, JSON.parse(body as string) as object)).status,
    )
  }
  return statuses
}

const purchase = (externalId: string) => ({
  program: 'coffee',
  externalId,
  member: `external:m-${externalId}`,
  occurredAt: '2026-11-01T10:00:00Z',
  currency: 'GBP',
  items: [{ sku: 'tea', quantity: 1, amount: 300 }],
})

test('starts with one command, shows the key once, serves the same data again', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const first = await started(env)
  expect(first.key).toBeDefined()
  expect(await followBanner(first.url, first.said())).toEqual([201, 201, 201])
  expect((await fetch(`${first.url}/health/ready`)).status).toBe(200)

  const listed = await ran(['keys', 'list'], env) // beside the running one
  expect(listed.said).toContain(`lk_live_…${first.key?.slice(-4)}`)
  expect(listed.said).not.toContain(first.key)
  expect((await ran(['migrate', '--status'], env)).said).toMatch(/^done {7}0001_foundation/)
  expect(await ran(['migrate', '--dry-run'], env)).toEqual({
    code: 0,
    said: 'Nothing to do: the database is up to date.\n',
  })

  first.child.kill('SIGINT')
  const { code, ms } = await first.ended
  expect(code).toBe(0)
  expect(ms).toBeLessThan(2_000)
  await expect(postgresPid(env.LAUREL_DATA_DIR)).rejects.toThrow() // the database went with it

  expect(await ran(['verify'], env)).toMatchObject({ code: 0 }) // starts the database for as long as it takes
  const again = await started(env)
  expect(again.key).toBeUndefined()
  expect((await call(again.url, first.key, '/v1/programs')).body).toMatchObject({ data: [{ slug: 'coffee' }] })
  expect(
    (await call(again.url, first.key, '/v1/purchases', { ...purchase('x'), member: 'external:ada' })).body,
  ).toMatchObject({ points: 3 })
})

test('a stop under load finishes what is in flight, loses nothing, and takes less than two seconds', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory(), LAUREL_RATE_LIMIT: 'off' }
  const first = await started(env)
  await followBanner(first.url, first.said())
  const acknowledged: string[] = []
  const refused: number[] = []
  let sent = 0
  const client = async () => {
    for (;;) {
      const id = `load-${sent++}`
      const answer = await call(first.url, first.key, '/v1/purchases', purchase(id)).catch(() => undefined)
      if (!answer) return // not accepted any more
      if (answer.status === 201) acknowledged.push(id)
      else refused.push(answer.status)
    }
  }
  const load = Promise.all(Array.from({ length: 32 }, client))
  while (acknowledged.length < 200) await sleep(10)
  first.child.kill('SIGTERM')
  const { code, ms } = await first.ended
  await load
  expect({ code, refused: refused.filter((status) => status !== 503) }).toEqual({ code: 0, refused: [] })
  expect(ms).toBeLessThan(2_000)

  const again = await started(env)
  for (const id of acknowledged) {
    expect((await call(again.url, first.key, '/v1/purchases', purchase(id))).status).toBe(200) // said before
  }
})

test('killed, with its database left running and its lock left behind: starts again with everything acknowledged', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const first = await started(env)
  await followBanner(first.url, first.said())
  const left = await postgresPid(env.LAUREL_DATA_DIR)
  first.child.kill('SIGKILL')
  await first.ended
  expect(process.kill(left, 0)).toBe(true)

  const again = await started(env)
  expect(again.said()).toContain(`process ${left}`)
  expect((await call(again.url, first.key, '/v1/purchases', purchase('after'))).status).toBe(201)

  process.kill(await postgresPid(env.LAUREL_DATA_DIR), 'SIGKILL') // both at once, as a machine does that loses its power
  again.child.kill('SIGKILL')
  await again.ended
  const third = await started(env)
  expect((await call(third.url, first.key, '/v1/purchases', purchase('after'))).status).toBe(200)
})

test('a database that dies under a running Laurel is started again', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const { url, key, said } = await started(env)
  await followBanner(url, said())
  process.kill(await postgresPid(env.LAUREL_DATA_DIR), 'SIGKILL')
  const statuses = new Set<number>()
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
    const { status } = await call(url, key, '/v1/purchases', purchase('after'))
    statuses.add(status)
    if (status === 201 || status === 200) break
  }
  expect([200, 201].some((status) => statuses.has(status))).toBe(true)
  expect([...statuses].filter((status) => ![200, 201, 503].includes(status))).toEqual([])
})

test('a second start on the same data, and a used port, are refused with what to do; the first goes on', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const first = await started(env)
  const second = await ran(['start'], env)
  expect(second.code).toBe(1)
  expect(second.said).toContain(`process ${first.child.pid}`)
  expect(second.said).toMatch(/LAUREL_DATA_DIR=\S+ PORT=\d+ npm start/)

  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const onUsed = await ran(['start'], { LAUREL_DATA_DIR: `${env.LAUREL_DATA_DIR}/other`, PORT: String(port) })
  other.close()
  expect(onUsed).toEqual({
    code: 1,
    said:
      `Port ${port} on 127.0.0.1 is in use by another program. ` +
      `Stop that one, or choose another port: PORT=${port + 1} npm start\n`,
  })
  expect((await fetch(`${first.url}/health/live`)).status).toBe(200)
})

test('a second signal stops at once, and nothing is lost by it', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const run = laurel(['start'], env)
  while (!run.said().includes('Making')) await sleep(20)
  run.child.kill('SIGINT')
  await sleep(600)
  run.child.kill('SIGINT')
  await run.ended
  expect((await started(env)).key).toBeDefined()
})

test('npm start is stopped by a signal to npm, and npm waits for it', async () => {
  const env = { LAUREL_DATA_DIR: await temporaryDirectory() }
  const { child, ended } = await started(env, npmStart(env))
  child.kill('SIGTERM')
  const { code, ms } = await ended
  expect(code).toBe(0)
  expect(ms).toBeLessThan(2_000)
  await expect(postgresPid(env.LAUREL_DATA_DIR)).rejects.toThrow()
})
