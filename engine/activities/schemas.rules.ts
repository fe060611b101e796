import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'
import { SCHEMA_CHARACTERS_MAX, SCHEMA_DEPTH_MAX } from '@laurel/contract/activities'
import { parseInstant } from '@laurel/contract/instants'
import type { FieldError } from '@laurel/contract/refusals'
import { fieldErrors } from './schema-errors.rules.ts'

/**
 * JSON Schemas that programs write, and data that is held against them. A schema comes from outside and is compiled: so
 * only what can be looked at in time proportional to the data is let in. No references but downwards into $defs (with every
 * use of a definition counted), patterns by RE2 (linear), uniqueItems of scalars only (linear).
 */

/** Subschemas, every use of a definition counted again: as often as a place of the data may be looked at. */
const NODES_MAX = 200
const PATTERN_MAX = 200
/** Instructions of all patterns together, every use counted. */
const PROGRAM_MAX = 1_000
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Where a keyword holds schemas: in itself, in a list, under names; or where it holds none. */
const KEYWORDS = new Map<string, 'schema' | 'list' | 'map' | 'none'>([
  ...['additionalProperties', 'propertyNames', 'items', 'contains', 'not', 'if', 'then', 'else'].map(schema),
  ...['unevaluatedProperties', 'unevaluatedItems'].map(schema),
  ...['prefixItems', 'allOf', 'anyOf', 'oneOf'].map((word) => [word, 'list'] as const),
  ...['properties', 'patternProperties', 'dependentSchemas', '$defs'].map((word) => [word, 'map'] as const),
  ...['$schema', '$ref', '$comment', 'title', 'description', 'default', 'examples', 'deprecated'].map(none),
  ...['readOnly', 'writeOnly', 'type', 'enum', 'const', 'required', 'minProperties', 'maxProperties'].map(none),
  ...['dependentRequired', 'minContains', 'maxContains', 'minItems', 'maxItems', 'uniqueItems', 'pattern'].map(none),
  ...['minLength', 'maxLength', 'format', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map(none),
  none('multipleOf'),
])

function schema(word: string) {
  return [word, 'schema'] as const
}
function none(word: string) {
  return [word, 'none'] as const
}

const FORMATS: Record<string, (text: string) => boolean> = {
  date: isDate,
  'date-time': (text) => parseInstant(text) !== undefined,
  email: (text) => /^[^\s@]{1,64}@[^\s@]{1,255}$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
}
const SCALARS = new Set(['string', 'number', 'integer', 'boolean', 'null'])

type Node = Record<string, unknown>

/** Everything that keeps a schema from being taken: pointers into the body that it came in, as `/schema/…`. */
export function schemaFaults(said: Node): FieldError[] {
  if (depthOf(said) > SCHEMA_DEPTH_MAX) return [fault([], `expected at most ${SCHEMA_DEPTH_MAX} levels`)]
  if (JSON.stringify(said).length > SCHEMA_CHARACTERS_MAX) {
    return [fault([], `expected at most ${SCHEMA_CHARACTERS_MAX} characters of JSON`)]
  }
  const found = new Walk(said).faults()
  if (found.length > 0) return found
  const meta = metaAjv()
  if (meta.validateSchema(said) !== true) {
    return fieldErrors(meta.errors ?? [], '/schema')
  }
  try {
    newAjv().compile(said)
    return []
  } catch (error) {
    return [notStrict((error as Error).message)]
  }
}

/** Ajv says the place at the end of its sentence. */
function notStrict(message: string): FieldError {
  const [, what, place] = /^(?:strict mode: )?(.*?)(?: at "#(\/[^"]*)")?(?: \(\w+\))?$/.exec(message) ?? []
  return { pointer: `/schema${place ?? ''}`, detail: `expected a schema without loose ends: ${what ?? message}` }
}

/** One look at a schema: its keywords, its references, and what it costs. */
class Walk {
  readonly #root: Node
  readonly #errors: FieldError[] = []
  /** Of each definition: what one use of it costs; undefined while it is being looked at. */
  readonly #costs = new Map<string, Cost | undefined>()

  constructor(root: Node) {
    this.#root = root
  }

  faults(): FieldError[] {
    if (this.#root.type !== 'object') this.#say(['type'], 'expected "object": data is an object')
    const { nodes, program } = this.#cost(this.#root, [])
    if (this.#errors.length > 0) return this.#errors
    if (nodes > NODES_MAX) this.#say([], `expected at most ${NODES_MAX} subschemas, each use of a definition counted`)
    if (program > PROGRAM_MAX) this.#say([], 'expected fewer or shorter patterns')
    return this.#errors
  }

  #cost(node: unknown, path: string[]): Cost {
    if (typeof node === 'boolean') return { nodes: 1, program: 0 }
    if (!isObject(node)) {
      this.#say(path, 'expected a schema: an object, true or false')
      return NOTHING
    }
    const costs: Cost[] = [{ nodes: 1, program: 0 }]
    for (const [word, value] of Object.entries(node)) costs.push(...this.#keyword(node, word, value, [...path, word]))
    return costs.reduce(sum)
  }

  #keyword(node: Node, word: string, value: unknown, path: string[]): Cost[] {
    const holds = KEYWORDS.get(word)
    if (holds === undefined) this.#say(path, 'unknown keyword')
    if (holds === 'schema') return [this.#cost(value, path)]
    if (holds === 'list') return Array.isArray(value) ? value.map((v, i) => this.#cost(v, [...path, String(i)])) : []
    if (holds === 'map') return this.#named(word, value, path)
    if (word === '$ref') return [this.#reference(value, path)]
    if (word === 'pattern') return [this.#pattern(value, path)]
    if (word === '$schema' && value !== DIALECT) this.#say(path, `expected ${DIALECT}`)
    if (word === 'format' && !Object.hasOwn(FORMATS, String(value))) {
      this.#say(path, `expected ${Object.keys(FORMATS).join(', ')}`)
    }
    if (word === 'uniqueItems' && value === true && !isOfScalars(node.items)) {
      this.#say(path, 'expected `items` with a type of string, number, integer or boolean beside it')
    }
    return []
  }

  #named(word: string, value: unknown, path: string[]): Cost[] {
    if (!isObject(value)) return []
    return Object.entries(value).map(([name, inner]) => {
      const at = [...path, name]
      if (name === '__proto__') this.#say(at, 'expected another name')
      if (word !== '$defs') {
        const cost = this.#cost(inner, at)
        return word === 'patternProperties' ? sum(cost, this.#pattern(name, at)) : cost
      }
      if (path.length > 1) this.#say(at, 'expected definitions at the top only')
      else this.#definition(name, inner)
      return NOTHING
    })
  }

  /** Counted where it is used. */
  #definition(name: string, node: unknown): Cost | undefined {
    if (!this.#costs.has(name)) {
      this.#costs.set(name, undefined)
      this.#costs.set(name, this.#cost(node, ['$defs', name]))
    }
    return this.#costs.get(name)
  }

  #reference(value: unknown, path: string[]): Cost {
    const name = typeof value === 'string' ? /^#\/\$defs\/([\w.-]{1,64})$/.exec(value)?.[1] : undefined
    const definitions = this.#root.$defs
    if (name === undefined || !isObject(definitions) || !Object.hasOwn(definitions, name)) {
      this.#say(path, 'expected #/$defs/<name> of a definition of this schema')
      return NOTHING
    }
    const cost = this.#definition(name, definitions[name])
    if (!cost) this.#say(path, 'expected no definition that uses itself')
    return cost ?? NOTHING
  }

  #pattern(value: unknown, path: string[]): Cost {
    if (typeof value !== 'string') return NOTHING // the meta-schema says so
    if (value.length > PATTERN_MAX) this.#say(path, `expected a pattern of at most ${PATTERN_MAX} characters`)
    else {
      try {
        return { nodes: 0, program: RE2JS.compile(value).programSize() }
      } catch {
        this.#say(path, 'expected a pattern in RE2 syntax: without look-around, back-references and large counts')
      }
    }
    return NOTHING
  }

  #say(path: string[], detail: string): void {
    if (this.#errors.length < 20) this.#errors.push(fault(path, detail))
  }
}

type Cost = { nodes: number; program: number }
const NOTHING: Cost = { nodes: 0, program: 0 }
const sum = (a: Cost, b: Cost): Cost => ({ nodes: a.nodes + b.nodes, program: a.program + b.program })

/** Data against a schema that was taken: `/data/…` of everything that is wrong. */
export function dataFaults(schemaText: string, data: unknown): FieldError[] {
  const validate = compiled(schemaText)
  return validate(data) ? [] : fieldErrors(validate.errors ?? [], '/data')
}

/** Compiled once, whatever else of the configuration changes; the one used longest ago goes first. */
const HELD_MAX = 500
const held = new Map<string, ValidateFunction>()

function compiled(schemaText: string): ValidateFunction {
  const found = held.get(schemaText) ?? newAjv().compile(JSON.parse(schemaText) as Node)
  held.delete(schemaText)
  held.set(schemaText, found)
  for (const oldest of held.keys()) {
    if (held.size <= HELD_MAX) break
    held.delete(oldest)
  }
  return found
}

/** Patterns by RE2, whatever the schema; `toString` tells one from another. */
const linear = Object.assign(
  (pattern: string) => {
    const program = RE2JS.compile(pattern)
    return { test: (text: string) => program.test(text), toString: () => pattern }
  },
  { code: 'linear' },
)

const STRICT = {
  strict: true,
  strictRequired: false,
  strictTuples: false,
  allowUnionTypes: true,
  allErrors: true,
  ownProperties: true,
  formats: FORMATS,
  code: { regExp: linear },
  logger: false,
} as const

/** One a schema: it keeps what it compiled. */
function newAjv(): Ajv2020 {
  return new Ajv2020({ ...STRICT, meta: false, validateSchema: false })
}

let meta: Ajv2020 | undefined
function metaAjv(): Ajv2020 {
  return (meta ??= new Ajv2020(STRICT))
}

function isOfScalars(items: unknown): boolean {
  if (!isObject(items)) return false
  const types = Array.isArray(items.type) ? (items.type as unknown[]) : [items.type]
  return types.length > 0 && types.every((type) => typeof type === 'string' && SCALARS.has(type))
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)?.map(Number) ?? []
  if (year === undefined || month === undefined || day === undefined) return false
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner))
  return deepest + 1
}

function fault(path: readonly string[], detail: string): FieldError {
  return { pointer: `/schema${path.map((p) => `/${p.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`, detail }
}

function isObject(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
