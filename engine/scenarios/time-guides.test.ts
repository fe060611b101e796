import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { addKey, LIVE, openApi, type TestApi, type Told } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { createGate, type Gate } from '../gate/gate.ts'
import { passDue } from '../pass-time.ts'
import { verify } from '../verify.ts'

/** The guides to holds, refunds, pending points and expiry: their requests are sent as they stand, the clock moved by hand. */
const database = await openDatabase()
const START = Date.parse('2027-03-01T12:00:00Z')
let api: TestApi
let gate: Gate

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(START)
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  gate = createGate({ pool: database.pool })
  const coffee = { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...coffee, joinPolicy: 'on_first_purchase' })
  const rule = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  expect((await api.call('POST', '/v1/earning-rules', rule)).status).toBe(201)
  const buys = { program: 'coffee', externalId: 'T1', member: 'external:ada', currency: 'GBP' }
  const items = [{ sku: 'beans', quantity: 1, amount: 10_000 }]
  await api.call('POST', '/v1/purchases', { ...buys, occurredAt: '2027-03-01T12:00:00Z', items })
})
afterAll(async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  vi.useRealTimers()
  await gate.close()
  await api.close()
  expect(api.faults).toEqual([])
})

/** Requests, what they answer, and what happens in between, in the order of the page. */
const PART = /```json (\S+) (\S+)\n([\s\S]*?)```|<!-- (clock|worker|event)(?::? ([\s\S]*?))? -->/g
const UNITS: Record<string, number> = { minutes: 60_000, days: 86_400_000 }

async function play(guide: string): Promise<number> {
  const page = readFileSync(new URL(`../../docs/guides/${guide}`, import.meta.url), 'utf8')
  const known: Record<string, string> = {}
  const fill = (text: string) => text.replaceAll(/\{(hold|entry|lot)\}/g, (_, name: string) => known[name] ?? '')
  let last: Told | undefined
  let checked = 0
  for (const [, method = '', target = '', json = '', what, about = ''] of page.matchAll(PART)) {
    if (what === 'clock') moveClock(about)
    else if (what === 'worker') await passDue(database.pool, gate, database.space, 100)
    else if (what === 'event') await told(about)
    else if (method === 'answers') {
      expect([last?.status, firstOfLists(last?.body, JSON.parse(json))]).toEqual([Number(target), JSON.parse(json)])
      checked += 1
    } else {
      last = await api.call(method, fill(target), json === '' ? undefined : fill(json))
      remember(known, last.body)
    }
  }
  return checked
}

function moveClock(about: string): void {
  const [, by, unit = ''] = /^\+(\d+) (\w+)$/.exec(about) ?? []
  vi.setSystemTime(by === undefined ? Date.parse(about) : Date.now() + Number(by) * (UNITS[unit] ?? Number.NaN))
}

async function told(about: string): Promise<void> {
  const [, type, data = ''] = /^(\S+) (.*)$/.exec(about) ?? []
  const all: { type: string; data: unknown }[] = (await api.call('GET', '/v1/events?limit=100')).body.data
  expect(all.filter((event) => event.type === type).map((event) => event.data)).toContainEqual(JSON.parse(data))
}

function remember(known: Record<string, string>, body: any): void {
  if (body.id?.startsWith('hld_')) known.hold = body.id
  if (body.data?.[0]?.id?.startsWith('ent_')) known.lot = body.data[0].id
  if (body.changed?.[0]) known.entry = body.changed[0].entry
}

/** Of what is there, that of which the guide speaks: of lists the first, as many as it shows. */
function firstOfLists(there: any, shown: any): unknown {
  if (Array.isArray(shown)) return shown.map((one, i) => firstOfLists(there?.[i], one))
  if (typeof shown !== 'object' || shown === null) return there
  return Object.fromEntries(Object.keys(shown).map((key) => [key, firstOfLists(there?.[key], shown[key])]))
}

test('the guide to holds and refunds', async () => {
  expect(await play('holds-and-refunds.md')).toBe(8)
})

test('the guide to pending and expiry', async () => {
  vi.setSystemTime(START)
  expect(await play('pending-and-expiry.md')).toBe(7)
})
