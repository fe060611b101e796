import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { TestApi, Told } from './api.ts'

type Step = {
  line: string
  method: string
  url: string
  headers: Record<string, string>
  body: string
  status: number
  answer: string
}

/** A guide's requests: each ```http block with the ```json block after it, which says the status and part of the answer. */
function stepsOf(page: string): Step[] {
  const guide = readFileSync(new URL(`../docs/guides/${page}.md`, import.meta.url), 'utf8')
  return [...guide.matchAll(/```http\n([^`]*)```\s*```json (\d+)\n([^`]*)```/g)].map(
    ([, request = '', status, answer = '']) => {
      const [head = '', ...body] = request.trim().split('\n\n')
      const [line = '', ...headers] = head.split('\n')
      const [method = '', url = ''] = line.split(' ')
      return {
        line,
        method,
        url,
        headers: Object.fromEntries(headers.map((header) => header.split(': '))),
        body: body.join('\n\n'),
        status: Number(status),
        answer,
      }
    },
  )
}

/**
 * Sends what the guide says, in its order, and holds every answer against what the guide says of it. `<name>` in an answer stands for
 * whatever is there, and in requests after it for that.
 */
export function walkGuide(page: string, least: number, api: () => TestApi): void {
  const steps = stepsOf(page)
  const known = new Map<string, string>()
  const filled = (text: string) => text.replaceAll(/<(\w+)>/g, (all, name: string) => known.get(name) ?? all)

  test(`docs/guides/${page}.md has requests`, () => expect(steps.length).toBeGreaterThanOrEqual(least))
  test.each(steps)('$line → $status', async ({ method, url, headers, body, status, answer }) => {
    const said = body === '' ? undefined : (JSON.parse(filled(body)) as unknown)
    const told = await api().call(method, filled(url), said, headers)
    const expected = JSON.parse(filled(answer)) as unknown
    learn(expected, told.body, known)
    expect(told.body).toMatchObject(JSON.parse(filled(answer)) as object)
    expect(told.status).toBe(status)
  })
}

function learn(expected: unknown, got: unknown, known: Map<string, string>): void {
  if (typeof expected === 'string') {
    const name = /^<(\w+)>$/.exec(expected)?.[1]
    if (name && typeof got === 'string') known.set(name, got)
  } else if (typeof expected === 'object' && expected !== null && typeof got === 'object' && got !== null) {
    for (const [key, value] of Object.entries(expected)) learn(value, (got as Record<string, unknown>)[key], known)
  }
}

/** Requests, what they answer, and what happens in between, in the order of the page. */
const PART = /```json (\S+) (\S+)\n([\s\S]*?)```|<!-- (clock|worker|event)(?::? ([\s\S]*?))? -->/g
const UNITS: Record<string, number> = { minutes: 60_000, days: 86_400_000 }

/**
 * Plays a page whose requests are told in the order of a life, with the clock (which the test has faked) moved by its comments:
 * `<!-- clock: +40 days -->`, `<!-- worker -->` books what time did (`pass`), `<!-- event: TYPE {…} -->` was told by then
 * (`{…} and more`: with further fields). An answer shows what matters of it. Says how many answers were held against what is there.
 */
export async function playGuide(guide: string, api: TestApi, pass: () => Promise<unknown>): Promise<number> {
  const page = readFileSync(new URL(`../docs/guides/${guide}`, import.meta.url), 'utf8')
  const known: Record<string, string> = {}
  const fill = (text: string) => text.replaceAll(/\{(hold|entry|lot)\}/g, (_, name: string) => known[name] ?? '')
  let last: Told | undefined
  let checked = 0
  for (const [, method = '', target = '', json = '', what, about = ''] of page.matchAll(PART)) {
    if (what === 'clock') moveClock(about)
    else if (what === 'worker') await pass()
    else if (what === 'event') await told(api, about)
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

async function told(api: TestApi, about: string): Promise<void> {
  const [, type, data = '', more] = /^(\S+) (\{.*\})( and more)?$/.exec(about) ?? []
  const shown = JSON.parse(data) as object
  const all: { type: string; data: unknown }[] = (await api.call('GET', '/v1/events?limit=100')).body.data
  expect(all.filter((event) => event.type === type).map((event) => event.data)).toContainEqual(
    more ? expect.objectContaining(shown) : shown,
  )
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
