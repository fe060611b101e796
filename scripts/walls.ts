import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * What the import walls (.dependency-cruiser.mjs) cannot express: who writes which table, what rules may not do, that
 * READMEs say what they must and that links lead somewhere. A guard against mistakes, not against malice: it reads
 * text, so SQL has to be literal. `node scripts/walls.ts [DIRECTORY]` prints what is wrong and exits with 1.
 */
const SKIPPED = new Set(['node_modules', '.git', '.laurel', '.bench', 'coverage'])
/** Folders of engine/ that hold no TypeScript of the product. */
const NO_ROOM = new Set(['migrations', 'scenarios'])
/** What people read in a terminal; everything else logs. */
const COMMAND_LINE = /^server\/(.*\/)?(banner|cli|verify|(.*-)?command)\.ts$/
const HEAD = ['Owns', 'Calls', 'Never'] as const

type File = { path: string; text: string; code: string }
type Room = { folder: string; owns: string[] }

function walls(root: string): { findings: string[]; files: number } {
  const files = read(root, root)
  const ts = files.filter(({ path }) => path.endsWith('.ts'))
  const product = ts.filter(({ path }) => /^(contract|engine|server)\//.test(path) && !isTest(path))
  const rooms = [...roomsOf(root, files)]
  const tables = tablesOf(files)
  const findings = [
    ...readmes(root, files),
    ...ownership(tables, rooms),
    ...product.flatMap((file) => writes(file, tables, rooms)),
    ...product.filter(({ path }) => path.endsWith('.rules.ts')).flatMap(impure),
    ...ts.flatMap(forged),
    ...product.filter(({ path }) => !COMMAND_LINE.test(path)).flatMap(chatter),
    ...files.filter(({ path }) => path.endsWith('.md')).flatMap((file) => deadLinks(root, file)),
  ]
  return { findings, files: files.length }
}

function read(root: string, at: string): File[] {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry): File[] => {
    const path = join(at, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : read(root, path)
    if (!entry.isFile() || !/\.(ts|sql|md)$/.test(entry.name)) return []
    const text = readFileSync(path, 'utf8')
    return [{ path: relative(root, path).replaceAll('\\', '/'), text, code: withoutComments(entry.name, text) }]
  })
}

/** The same text, comments blanked, line numbers kept. */
function withoutComments(name: string, text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ')
  if (name.endsWith('.sql')) return text.replace(/--.*$/gm, blank)
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(?<=^|[\s;{}()])\/\/.*$/gm, blank)
}

function isTest(path: string): boolean {
  return path.startsWith('engine/scenarios/') || path.endsWith('.test.ts') || path.endsWith('-for-tests.ts')
}

function at(file: File, index: number): string {
  return `${file.path}:${file.code.slice(0, index).split('\n').length}`
}

// ── rooms and tables ─────────────────────────────────────────────────────────────────────────────

function* roomsOf(root: string, files: File[]): Iterable<Room> {
  for (const { path, text } of files) {
    if (!/^(engine\/[^/]+|server)\/README\.md$/.test(path)) continue
    const owns = /^Owns:(.*)$/m.exec(text)?.[1] ?? ''
    const names = owns
      .replace(/\(.*?\)/g, '')
      .split(',')
      .map((name) => name.trim().replaceAll('`', ''))
    yield { folder: dirname(relative(root, resolve(root, path))), owns: names.filter((name) => /^[a-z_]+$/.test(name)) }
  }
}

/** Table → what `create table` says of it. */
function tablesOf(files: File[]): Map<string, string> {
  const tables = new Map<string, string>()
  for (const { path, code } of files) {
    if (!/^engine\/migrations\/\d{4}_.*\.sql$/.test(path)) continue
    for (const [, name, body] of code.matchAll(/create table (?:if not exists )?([a-z_]+)\s*\(([\s\S]*?)\n\)/gi)) {
      if (name) tables.set(name, body ?? '')
    }
    for (const [, name] of code.matchAll(/drop table (?:if exists )?([a-z_]+)/gi)) if (name) tables.delete(name)
  }
  return tables
}

function readmes(root: string, files: File[]): string[] {
  const engine = join(root, 'engine')
  if (!existsSync(engine)) return []
  const folders = readdirSync(engine, { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
  return folders
    .filter((name) => !NO_ROOM.has(name) && name !== 'node_modules')
    .flatMap((name) => {
      if (!files.some(({ path }) => path.startsWith(`engine/${name}/`))) return [] // an empty folder is not in git
      const readme = files.find(({ path }) => path === `engine/${name}/README.md`)
      if (!readme) return [`engine/${name}: has no README.md that says what it owns, calls and never does`]
      const lines = readme.text.split('\n').filter((line) => line.trim() !== '')
      const wrong = HEAD.some((word, i) => !lines[i + 1]?.startsWith(`${word}: `))
      return wrong ? [`${readme.path}: after its title come the lines "Owns: …", "Calls: …" and "Never: …"`] : []
    })
}

function ownership(tables: Map<string, string>, rooms: Room[]): string[] {
  if (tables.size === 0) return ['engine/migrations: no `create table` was found, so nothing was checked']
  return [
    ...[...tables].flatMap(([table, body]) => {
      const owners = rooms.filter(({ owns }) => owns.includes(table)).map(({ folder }) => folder)
      return [
        ...(owners.length === 1
          ? []
          : [`table ${table}: has ${owners.length} owners (${owners.join(', ') || 'no README says it'})`]),
        ...(/^\s*space_id\s/m.test(body) ? [] : [`table ${table}: has no space_id`]),
      ]
    }),
    ...rooms.flatMap(({ folder, owns }) =>
      owns.filter((name) => !tables.has(name)).map((name) => `${folder}/README.md: owns ${name}, which is no table`),
    ),
  ]
}

// ── what code may not say ────────────────────────────────────────────────────────────────────────

/** `insert`, `update`, `delete` and their like name a table of the room that the statement stands in. */
function writes(file: File, tables: Map<string, string>, rooms: Room[]): string[] {
  const room = rooms
    .filter(({ folder }) => file.path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0]
  const statement =
    /\b(insert\s+into|(?<!\b(?:for|do|no\s+key)\s+)update(?:\s+only)?|delete\s+from(?:\s+only)?|merge\s+into|truncate(?:\s+table)?|copy)\s+("?[a-z_]+"?|\$\{[^}]*\})/gi
  return [...file.code.matchAll(statement)].flatMap((match) => {
    const [, verb = '', target = ''] = match
    const table = target.replaceAll('"', '').toLowerCase()
    if (table.startsWith('$'))
      return /\s(into|from)$/i.test(verb)
        ? [`${at(file, match.index)}: "${verb} ${target}" hides which table it writes`]
        : []
    if (!tables.has(table) || room?.owns.includes(table)) return []
    const owner = rooms.find(({ owns }) => owns.includes(table))?.folder ?? 'nobody'
    return [`${at(file, match.index)}: "${verb} ${table}", but only ${owner} writes ${table}`]
  })
}

const IMPURE: [RegExp, string][] = [
  [/\b(?:await|async)\b/g, 'waits'],
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.|\bTemporal\.Now\b/g, 'reads the clock'],
  [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b|\bnewId\(/g, 'throws dice'],
  [/\bprocess\.|\bimport\.meta\.env\b/g, 'reads its surroundings'],
  [
    /\bfrom '(?:pg|node:fs|node:fs\/promises|node:net|node:http|node:process)'|\.query\(|\.sql\.ts'/g,
    'reaches for the world',
  ],
]

function impure(file: File): string[] {
  return IMPURE.flatMap(([pattern, what]) =>
    [...file.code.matchAll(pattern)]
      .filter((match) => !/import type/.test(lineOf(file.code, match.index)))
      .map(
        (match) =>
          `${at(file, match.index)}: a rule ${what} (${match[0].trim()}); rules are functions of their arguments`,
      ),
  )
}

function lineOf(code: string, index: number): string {
  return code.slice(code.lastIndexOf('\n', index) + 1).split('\n', 1)[0] as string
}

function forged(file: File): string[] {
  if (file.path === 'engine/base/db.ts' || /^scripts\/(walls|check\.test)\.ts$/.test(file.path)) return []
  return [...file.code.matchAll(/\bas (?:unknown as )?Tx\b/g)].map(
    (match) => `${at(file, match.index)}: "as Tx" forges the right to write; only engine/base/db.ts mints it`,
  )
}

function chatter(file: File): string[] {
  return [...file.code.matchAll(/\bconsole\.(?:debug|error|info|log|table|trace|warn)\b/g)].map(
    (match) => `${at(file, match.index)}: ${match[0]}; only the command line and the banner print, the rest logs`,
  )
}

// ── links ────────────────────────────────────────────────────────────────────────────────────────

function deadLinks(root: string, file: File): string[] {
  const prose = file.text.replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, ' ')).replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)].flatMap((match) => {
    const link = match[1] ?? match[2] ?? ''
    if (/^([a-z][a-z+.-]*:|#|\/\/)/i.test(link)) return []
    const target = resolve(root, dirname(file.path), decodeURIComponent(link.replace(/[?#].*$/, '')))
    const inside = target === resolve(root) || target.startsWith(`${resolve(root)}/`)
    return inside && existsSync(target) ? [] : [`${file.path}: links to ${link}, which is not there`]
  })
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? '.')
  if (!statSync(root).isDirectory()) throw new Error(`${root} is not a directory`)
  const { findings, files } = walls(root)
  for (const finding of findings) console.log(finding)
  console.log(`${findings.length} findings in ${files} files`)
  if (findings.length > 0 || files === 0) process.exitCode = 1
}
