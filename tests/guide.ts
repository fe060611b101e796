import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TestApi } from './api.ts'

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
