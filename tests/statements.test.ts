import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/**
 * What no statement of ours may do, so that the schema can be distributed by member: read from every SQL text in the
 * product's sources and migrations. (The catalogue itself is looked at in catalogue.db.test.ts.)
 */
const ROOT = join(import.meta.dirname, '..')
const MEMBER_OWNED =
  /\b(activities|adjustments|counters|entries|holds|lot_uses|lots|member_states|members|merges|purchases|returns|tier_history|tier_progress|tier_states)\b/

type Statement = { at: string; text: string }

/** Every string or template that is SQL, with where it stands; migrations statement by statement. */
function statements(): Statement[] {
  const files = ['engine', 'server'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  return files.flatMap((path) => {
    if (path.includes('node_modules')) return []
    if (path.endsWith('.sql')) return migration(path)
    return /(?<!\.test|-for-tests)\.ts$/.test(path) ? strings(path) : []
  })
}

function migration(path: string): Statement[] {
  const text = readFileSync(join(ROOT, path), 'utf8').replace(/--.*$/gm, '')
  return text.split(/;\s*$/m).map((statement) => ({ at: path, text: statement }))
}

function strings(path: string): Statement[] {
  const text = readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, ' '))
  const literal = /`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g
  return [...text.matchAll(literal)]
    .filter(([found]) =>
      /\b(select|insert into|update|delete from|with|for (no key )?update|lock table)\b/i.test(found),
    )
    .map((match) => ({ at: `${path}:${text.slice(0, match.index).split('\n').length}`, text: match[0] }))
}

/** What is wrong with a statement, if anything. */
function wrong(text: string): string | undefined {
  if (/\bskip\s+locked\b/i.test(text)) return 'skips locked rows'
  if (/\block\s+table\b/i.test(text)) return 'locks a table'
  if (/\b(create\s+(or\s+replace\s+)?(constraint\s+)?trigger|returns\s+trigger)\b/i.test(text)) return 'makes a trigger'
  if (/\b(nextval|currval|lastval|setval)\s*\(/i.test(text)) return 'counts by a sequence'
  if (/\border\s+by\b[^;]*\b(xmin|ctid|txid_current|pg_current_xact_id)\b/i.test(text)) return 'orders by transaction'
  if (!/\bfor\s+(no\s+key\s+)?update\b|\bfor\s+(key\s+)?share\b/i.test(text)) return undefined
  if (/\bany\s*\(|\bunnest\s*\(|\bin\s*\(/i.test(text)) return 'locks many rows'
  if (MEMBER_OWNED.test(text) && !/\bmember_id\s*=\s*\$\d/.test(text)) return 'locks rows of more than one member'
  return /=\s*\$\d/.test(text) ? undefined : 'locks rows that it does not name'
}

test('no statement locks many members, skips locked rows, or leans on triggers and sequences', () => {
  const found = statements()
  expect(found.length).toBeGreaterThan(30) // it did read them
  expect(found.flatMap(({ at, text }) => (wrong(text) ? [`${at} ${wrong(text)}: ${text}`] : []))).toEqual([])
})

describe('what would be found', () => {
  test.each([
    ['select 1 from member_states where member_id = any ($1) order by member_id for update', 'locks many rows'],
    ['select 1 from member_states where space_id = $1 for update', 'locks rows of more than one member'],
    ['select 1 from members for no key update', 'locks rows of more than one member'],
    ['select 1 from outbox where first_position is null for update', 'locks rows that it does not name'],
    ['select 1 from outbox where space_id = $1 limit 1 for update skip locked', 'skips locked rows'],
    ['create trigger t before insert on entries execute function f()', 'makes a trigger'],
    ["select nextval('entries_seq')", 'counts by a sequence'],
  ])('%s', (text, expected) => {
    expect(wrong(text)).toBe(expected)
  })

  test('one member under lock is allowed', () => {
    expect(wrong('select version from member_states where member_id = $1 for update')).toBeUndefined()
  })
})
