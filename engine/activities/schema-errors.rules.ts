import type { ErrorObject } from 'ajv'
import type { FieldError } from '@laurel/contract/refusals'

const ERRORS_MAX = 20

/** What a schema found wrong, in the words of all our refusals: one a place, below `root`. */
export function fieldErrors(errors: readonly ErrorObject[], root: string): FieldError[] {
  const found = new Map<string, FieldError>()
  for (const error of errors) {
    if (BRANCHES.has(error.keyword) && found.size > 0) continue // what its branches say is nearer
    const { place, detail } = inWords(error)
    const pointer = `${root}${error.instancePath}${place === undefined ? '' : `/${escaped(place)}`}`.toWellFormed()
    if (!found.has(pointer)) found.set(pointer, { pointer, detail })
    if (found.size === ERRORS_MAX) break
  }
  return [...found.values()]
}

const BRANCHES = new Set(['if', 'anyOf', 'oneOf', 'propertyNames'])

/** `place`: a field below the one that the error is about. */
function inWords(error: ErrorObject): { place?: string; detail: string } {
  const said = error.params as Record<string, unknown>
  const limit = String(said.limit)
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
      return { place: String(said.missingProperty), detail: 'required' }
    case 'additionalProperties':
      return { place: String(said.additionalProperty), detail: 'unknown field' }
    case 'unevaluatedProperties':
      return { place: String(said.unevaluatedProperty), detail: 'unknown field' }
    case 'type':
      return { detail: `expected ${[said.type].flat().map(typeWord).join(' or ')}` }
    case 'enum':
      return { detail: `expected ${(said.allowedValues as unknown[]).map((v) => JSON.stringify(v)).join(' or ')}` }
    case 'const':
      return { detail: `expected ${JSON.stringify(said.allowedValue)}` }
    case 'minimum':
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      return { detail: `expected at least ${limit}${unit(error.keyword)}` }
    case 'maximum':
    case 'maxItems':
    case 'maxLength':
    case 'maxProperties':
      return { detail: `expected at most ${limit}${unit(error.keyword)}` }
    case 'pattern':
      return { detail: `expected text like ${String(said.pattern)}` }
    case 'format':
      return { detail: `expected a ${String(said.format)}` }
    case 'uniqueItems':
      return { detail: 'expected no item twice' }
    case 'oneOf':
    case 'anyOf':
      return { detail: `expected ${error.keyword === 'oneOf' ? 'exactly' : 'at least'} one of the schema's branches` }
    case 'not':
    case 'false schema':
      return { detail: 'expected something else: the schema forbids this' }
    default:
      return { detail: `expected what the schema says: ${error.message ?? error.keyword}` }
  }
}

const TYPES: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  boolean: 'true or false',
  null: 'null',
}
function typeWord(type: unknown): string {
  return TYPES[String(type)] ?? String(type)
}

function unit(keyword: string): string {
  if (keyword.endsWith('Items')) return ' items'
  if (keyword.endsWith('Length')) return ' characters'
  return keyword.endsWith('Properties') ? ' fields' : ''
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
