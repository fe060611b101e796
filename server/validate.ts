import { z } from 'zod'
import type { FieldError } from '@laurel/contract/refusals'

/**
 * A shape is looked at twice at most: a compiled check of its JSON Schema passes what is right, at about a
 * microsecond; only what is wrong is put to zod, whose findings become texts for people, every field listed.
 */
export type Check = (value: unknown) => FieldError[] | undefined

const ERRORS_MAX = 100

type Compiled = { Check(value: unknown): boolean }
let compile: ((schema: never) => Compiled) | undefined

/** The compiler takes longest to load of all that the API is made of: it comes once we listen; zod does until then. */
export async function loadCompiler(): Promise<void> {
  compile = (await import('typebox/compile')).Compile
}

/** For bodies on hot paths. Refinements that JSON Schema cannot say may not be looked at: the caller does. */
export function fastCheck(schema: z.ZodType): Check {
  let compiled: Compiled | undefined
  return (value) => {
    if (compile) compiled ??= compile(withoutFormats(z.toJSONSchema(schema, { io: 'input' })) as never)
    return compiled?.Check(value) ? undefined : findErrors(schema, value)
  }
}

/** For everything else. */
export function fullCheck(schema: z.ZodType): Check {
  return (value) => findErrors(schema, value)
}

/** A format is a remark here: the door parses instants itself, once. */
function withoutFormats(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutFormats)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(key === 'format' && typeof value === 'string'))
      .map(([key, value]) => [key, withoutFormats(value)]),
  )
}

/** What is wrong with a value, in words for people: every field, at most a hundred; undefined where nothing is. */
export function findErrors(schema: z.ZodType, value: unknown): FieldError[] | undefined {
  const result = schema.safeParse(value)
  if (result.success) return undefined
  const errors = new Map<string, FieldError>()
  for (const error of result.error.issues.flatMap((issue) => explain(issue, value, []))) {
    if (!errors.has(error.pointer) && errors.size < ERRORS_MAX) errors.set(error.pointer, error)
  }
  return [...errors.values()]
}

/** The same for who does not know pointers: `line.sku: required`. whole: what the value itself is called. */
export function inWords(errors: readonly FieldError[], whole: string): string[] {
  return errors.map(({ pointer, detail }) => {
    const names = pointer.split('/').slice(1)
    return `${names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~')).join('.') || whole}: ${detail}`
  })
}

type Issue = z.core.$ZodIssue

function explain(issue: Issue, root: unknown, above: PropertyKey[]): FieldError[] {
  const path = [...above, ...issue.path]
  const at = (detail: string) => [{ pointer: pointerTo(path), detail }]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ pointer: pointerTo([...path, key]), detail: 'unknown field' }))
    case 'invalid_union': {
      const nearest = nearestBranch(issue.errors)
      if (!nearest || nearest.every((inner) => inner.path.length === 0 && inner.code.startsWith('invalid_'))) {
        return at(missing(root, path) ? 'required' : said(issue, 'expected one of the values that the reference lists'))
      }
      return nearest.flatMap((inner) => explain(inner, root, path))
    }
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explain({ ...inner, path: [] } as Issue, root, path))
    case 'custom':
      return at(issue.message)
    case 'invalid_format':
      return at(said(issue, `expected a ${issue.format}`))
    case 'invalid_value':
      return at(
        missing(root, path) ? 'required' : `expected ${issue.values.map((v) => JSON.stringify(v)).join(' or ')}`,
      )
    case 'invalid_type':
      return at(missing(root, path) ? 'required' : `expected ${TYPES[issue.expected] ?? issue.expected}`)
    case 'too_small':
      return at(said(issue, bound(issue.origin, '>=', 'at least', issue.minimum, issue.inclusive)))
    case 'too_big':
      return at(said(issue, bound(issue.origin, '<=', 'at most', issue.maximum, issue.inclusive)))
    default:
      return at(issue.message)
  }
}

/** The contract's own words where it has some: they begin with "expected", zod's do not. */
function said(issue: Issue, otherwise: string): string {
  return issue.message.startsWith('expected') ? issue.message : otherwise
}

const TYPES: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
  null: 'null',
}

/** The branch that came furthest: of those that accept the value's type, the one with the fewest complaints. */
function nearestBranch(branches: Issue[][]): Issue[] | undefined {
  const cost = (issues: Issue[]) =>
    issues.length + (issues.some((i) => i.path.length === 0 && i.code === 'invalid_type') ? 1000 : 0)
  return branches.toSorted((a, b) => cost(a) - cost(b))[0]
}

function bound(
  origin: string,
  sign: string,
  words: string,
  limit: number | bigint,
  inclusive: boolean | undefined,
): string {
  const n = String(limit)
  const plural = n === '1' ? '' : 's'
  if (origin === 'string') return `expected ${words} ${n} character${plural}`
  if (origin === 'array' || origin === 'set') return `expected ${words} ${n} item${plural}`
  return `expected a ${origin === 'int' || Number.isInteger(Number(limit)) ? 'whole ' : ''}number ${inclusive === false ? sign[0] : sign} ${n}`
}

function missing(root: unknown, path: PropertyKey[]): boolean {
  let value = root
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return false
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value === undefined
}

/** RFC 6901. */
function pointerTo(path: PropertyKey[]): string {
  return path
    .map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
    .toWellFormed()
}
