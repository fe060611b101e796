import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * Checkers go blind silently: a new version, a moved folder, and they look at nothing and are content. So each wall is
 * run against a copy of the tree, and against the same copy with one thing planted that it must find.
 */
const ROOT = join(import.meta.dirname, '..')
const LEFT_OUT = new Set(['node_modules', '.git', '.laurel', '.bench', 'coverage'])
const PATIENCE = 120_000
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'laurel-check-'))
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(relative(ROOT, path)) && !path.endsWith('/node_modules'),
  })
  mkdirSync(join(copy, 'node_modules/@laurel'), { recursive: true })
  const link = (from: string, to: string) => symlinkSync(from, join(copy, 'node_modules', to))
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name !== '@laurel') link(join(ROOT, 'node_modules', name), name)
  }
  // The workspaces are the copy's own: what is planted in one is seen by the others.
  for (const name of readdirSync(join(ROOT, 'node_modules/@laurel'))) link(join(copy, name), join('@laurel', name))
}, PATIENCE)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

function check(...steps: string[]): { passed: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/check.ts', ...steps], {
    cwd: copy,
    encoding: 'utf8',
  })
  return { passed: status === 0, said: stdout + stderr }
}

test(
  'the tree as it is passes',
  () => {
    const { passed, said } = check()
    expect(said.slice(-3000)).toContain('All is well')
    expect(passed).toBe(true)
  },
  PATIENCE,
)

type Plant = {
  what: string
  step: string
  alone?: true
  path: string
  text: string | ((before: string) => string)
  found: RegExp
}

const PLANTS: Plant[] = [
  {
    what: 'a noun that imports another noun',
    step: 'imports',
    path: 'engine/ledger/planted.ts',
    text: "import { kept } from '../purchases/purchases.rules.ts'\n\nexport const planted = kept\n",
    found: /noun-imports-noun: engine\/ledger\/planted\.ts/,
  },
  {
    what: 'a noun that imports only a type of another',
    step: 'imports',
    path: 'engine/ledger/planted-type.ts',
    text: "import type { Purchase } from '../purchases/purchases.rules.ts'\n\nexport type Planted = Purchase\n",
    found: /noun-imports-noun: engine\/ledger\/planted-type\.ts/,
  },
  {
    what: 'an engine that knows a door',
    step: 'imports',
    path: 'engine/planted.ts',
    text: "export { freePort as planted } from '@laurel/server/postgres'\n",
    found: /error [a-z-]+: engine\/planted\.ts/,
  },
  {
    what: 'a contract that knows the engine',
    step: 'imports',
    path: 'contract/planted.ts',
    text: "export { newId as planted } from '../engine/base/ids.ts'\n",
    found: /contract-imports-ours: contract\/planted\.ts/,
  },
  {
    what: 'an engine that opens a socket',
    step: 'imports',
    path: 'engine/planted-socket.ts',
    text: "export { connect as planted } from 'node:net'\n",
    found: /engine-opens-a-door: engine\/planted-socket\.ts/,
  },
  {
    what: 'a cruise that saw no TypeScript',
    step: 'imports',
    alone: true,
    path: '.dependency-cruiser.mjs',
    text: "\nconfiguration.options.exclude = { path: '[.]ts$' }\n",
    found: /it cruised \d+ modules where there are/,
  },
  {
    what: 'a promise that nobody waits for',
    step: 'promises',
    path: 'server/planted.ts',
    text: 'async function late(): Promise<void> {}\n\nexport function planted(): void {\n  late()\n}\n',
    found: /no-floating-promises[\s\S]{0,150}server\/planted\.ts/,
  },
  {
    what: 'a switch that forgets a case',
    step: 'promises',
    path: 'server/planted-switch.ts',
    text: "export function planted(of: 'a' | 'b'): void {\n  switch (of) {\n    case 'a':\n      return\n  }\n}\n",
    found: /switch-exhaustiveness-check[\s\S]{0,150}server\/planted-switch\.ts/,
  },
  {
    what: 'an element that may not be there',
    step: 'types',
    path: 'server/planted.ts',
    text: "export const planted: string = ['a'].slice(1)[0]\n",
    found: /server\/planted\.ts\(1,/,
  },
  {
    what: 'an export that nobody uses, in the engine',
    step: 'unused',
    path: 'engine/base/ids.ts',
    text: '\nexport const planted = 1\n',
    found: /planted\s+engine\/base\/ids\.ts/,
  },
  {
    what: 'an export that nobody uses, in the contract',
    step: 'unused',
    path: 'contract/ids.ts',
    text: '\nexport const planted = 1\n',
    found: /planted\s+contract\/ids\.ts/,
  },
  {
    what: 'a file that nobody imports',
    step: 'unused',
    path: 'bench/planted.ts',
    text: 'export const planted = 1\n',
    found: /Unused files[\s\S]*bench\/planted\.ts/,
  },
  {
    what: 'a file that is not laid out as the others',
    step: 'style',
    path: 'server/planted.ts',
    text: 'export const planted = "1";\n',
    found: /server\/planted\.ts format/,
  },
  {
    what: "a noun that writes another noun's table",
    step: 'walls',
    path: 'engine/members/planted.sql.ts',
    text: "export const planted = 'update lots set remaining = 0'\n",
    found: /engine\/members\/planted\.sql\.ts:1: "update lots", but only engine\/ledger writes lots/,
  },
  {
    what: 'a verb that writes SQL of its own',
    step: 'walls',
    path: 'engine/planted.ts',
    text: 'export const planted = `\n  delete from entries`\n',
    found: /engine\/planted\.ts:2: "delete from entries"/,
  },
  {
    what: 'a rule that reads the clock',
    step: 'walls',
    path: 'engine/ledger/planted.rules.ts',
    text: 'export const planted = () => Date.now()\n',
    found: /engine\/ledger\/planted\.rules\.ts:1: a rule reads the clock/,
  },
  {
    what: 'a forged right to write',
    step: 'walls',
    path: 'server/planted.ts',
    text: 'export const planted = (db: unknown) => db as Tx\n',
    found: /server\/planted\.ts:1: "as Tx" forges/,
  },
  {
    what: 'a table that belongs to nobody and to no space',
    step: 'walls',
    path: 'engine/migrations/9999_planted.sql',
    text: 'create table planted (\n  id int primary key\n);\n',
    found: /table planted: has 0 owners[\s\S]*table planted: has no space_id/,
  },
  {
    what: 'a link that leads nowhere',
    step: 'walls',
    path: 'CONTRIBUTING.md',
    text: '\n[planted](docs/planted.md)\n',
    found: /links to docs\/planted\.md, which is not there/,
  },
  {
    what: 'a platform whose tools were left out',
    step: 'lockfile',
    path: 'package-lock.json',
    text: (before) => before.replace('"node_modules/@biomejs/cli-darwin-arm64"', '"node_modules/planted"'),
    found: /lacks node_modules\/@biomejs\/cli-darwin-arm64/,
  },
  {
    what: 'a print where a log belongs',
    step: 'walls',
    path: 'server/planted-print.ts',
    text: "console.log('planted')\n",
    found: /server\/planted-print\.ts:1: console\.log/,
  },
]

/** What a step says of the copy with these in it: new files, or more at the end of files that are there. */
function withPlanted(step: string, plants: Plant[]): { passed: boolean; said: string } {
  const undo: (() => void)[] = []
  for (const { path, text } of plants) {
    const file = join(copy, path)
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined
    undo.push(before === undefined ? () => rmSync(file) : () => writeFileSync(file, before))
    writeFileSync(file, typeof text === 'string' ? (before ?? '') + text : text(before ?? ''))
  }
  try {
    return check(step)
  } finally {
    for (const act of undo) act()
  }
}

/** One run for all that one step must find; what would hide the rest has a run of its own. */
const RUNS = Object.entries(Object.groupBy(PLANTS, ({ step, alone }) => (alone ? `${step}, alone` : step)))

describe.each(RUNS)('%s', (name, plants = []) => {
  let result: { passed: boolean; said: string }

  beforeAll(() => {
    result = withPlanted(name.split(',')[0] as string, plants)
  }, PATIENCE)

  test('fails', () => expect(result.passed).toBe(false))
  test.each(plants)('finds $what', ({ found }) => expect(result.said).toMatch(found))
})
