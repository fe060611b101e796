import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDatabase } from '../tests/database.ts'
import { type Api, createApi } from './api.ts'

/** What the server is patient with here, instead of fifteen seconds. */
const HEAD_MS = 50

describe('a connection that was opened ahead of its first request', () => {
  let api: Api
  beforeAll(async () => {
    const database = await openDatabase()
    api = await createApi({ pool: database.pool, rateLimit: 'off', log: { error: () => {}, warn: () => {} } })
    Object.assign(api.server, { headersTimeout: HEAD_MS, requestTimeout: HEAD_MS, connectionsCheckingInterval: 10 })
    await api.listen(0, '127.0.0.1')
  })
  afterAll(() => api.close())

  async function open(): Promise<{ socket: Socket; said(): string; closed: Promise<void> }> {
    let said = ''
    const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    const closed = new Promise<void>((done) => void socket.once('close', () => done()))
    await new Promise<void>((done) => void socket.once('connect', () => done()))
    onTestFinished(() => void socket.destroy())
    return { socket, said: () => said, closed }
  }
  const LIVE = 'GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n'

  test('is told nothing however long it waits, and is answered then, as often as it asks', async () => {
    const { socket, said } = await open()
    await sleep(4 * HEAD_MS)
    expect(said()).toBe('')
    for (const answers of [1, 2]) {
      socket.write(LIVE)
      await vi.waitFor(() => expect(said().match(/HTTP\/1.1 200/g)).toHaveLength(answers))
    }
  })

  test('is closed without a word when a minute later it is still silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const [silent, late] = [await open(), await open()]
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThanOrEqual(2))
    late.socket.write(LIVE)
    await vi.waitFor(() => expect(late.said()).toContain('200 OK'))
    vi.advanceTimersByTime(60_000)
    await silent.closed
    expect(silent.said()).toBe('')
    late.socket.write(LIVE)
    await vi.waitFor(() => expect(late.said().match(/200 OK/g)).toHaveLength(2))
  })

  test('a head that was begun and does not end is refused, also after a long silence', async () => {
    const { socket, said, closed } = await open()
    await sleep(2 * HEAD_MS)
    socket.write('GET /health/live HTTP/1.1\r\n')
    await closed
    expect(said()).toContain('400 Bad Request')
    expect(said()).toContain('the request took too long to arrive')
  })
})
