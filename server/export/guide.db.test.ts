import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { ran } from '../laurel-for-tests.ts'

/** docs/guides/explain-and-audit.md: its requests are sent, its commands are run, and what it says comes out. */
const guide = readFileSync(new URL('../../docs/guides/explain-and-audit.md', import.meta.url), 'utf8')
const database = await openDatabase()
let api: TestApi
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'laurel-guide-'))
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee Club', timezone: 'Europe/London', currency: 'GBP' }
  await api.call('POST', '/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  const rule = { program: 'coffee', name: 'A point per pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  await api.call('POST', '/v1/earning-rules', rule)
})
afterAll(async () => {
  await api.close()
  await rm(directory, { recursive: true, force: true })
  expect(api.faults).toEqual([])
})

const steps = [...guide.matchAll(/```http\n(\w+) (\S+)\n([^`]*)```(?:\s*```json 200\n([^`]*)```)?/g)].map(
  ([, method = '', url = '', body = '', answer]) => ({ method, url, body: body.trim(), answer }),
)

/** When something was booked is now; what is written of it in the guide is any time. */
const timeless = (sentence: string) =>
  sentence.replace(/(\d+ \w+ 2026 at|\d+\. \p{L}+ 2026 um) \d\d:\d\d/gu, (found) =>
    /^[23]\.? Nov/.test(found) ? found : 'then',
  )

test('has requests', () => expect(steps.length).toBeGreaterThan(8))

test.each(steps)('$method $url', async ({ method, url, body, answer }) => {
  const told = await api.call(method, url, body === '' ? undefined : body)
  expect(told.status, told.text).toBe(method === 'POST' ? 201 : 200)
  if (answer === undefined) return
  const { sentences, ...expected } = JSON.parse(answer)
  expect(told.body).toMatchObject(expected)
  if (sentences) expect(told.body.sentences.map(timeless)).toEqual(sentences.map(timeless))
})

test('the commands', async () => {
  const [, console = ''] = /```console\n([^`]*)```/.exec(guide) ?? []
  const commands = console.split(/^\$ /m).filter((one) => one !== '')
  expect(commands).toHaveLength(3)
  for (const command of commands) {
    const [line = '', ...output] = command.split('\n')
    const words = line.replace('npx ', '').replace('laurel.journal', join(directory, 'laurel.journal')).split(' ')
    const said = await told(words)
    for (const expected of output.filter((text) => text !== '')) expect(said).toContain(expected)
  }
})

/** What a command says that must succeed. */
async function told([program = '', ...args]: string[]): Promise<string> {
  if (program === 'laurel') {
    const { code, said } = await ran(args, { DATABASE_URL: database.url })
    expect([code, said]).toEqual([0, said])
    return said
  }
  const { status, stdout, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (error) throw new Error(`${program} is missing: apt-get install hledger ledger`, { cause: error })
  expect(status).toBe(0)
  return stdout
}

test('what it shows of the journal is how the journal looks', async () => {
  expect(existsSync(join(directory, 'laurel.journal'))).toBe(true)
  const shape = (text: string) =>
    text
      .replace(/\d{4}-\d\d-\d\d(T[\d:.]+Z)?/g, 'DATE')
      .replace(/_[0-9a-z]{26}/g, '_ID')
      .trim()
  const [, shown = ''] = /```journal\n([^`]*)```/.exec(guide) ?? []
  expect(shape(readFileSync(join(directory, 'laurel.journal'), 'utf8'))).toContain(shape(shown))
})
