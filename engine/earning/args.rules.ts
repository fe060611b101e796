import type { FieldError } from '@laurel/contract/refusals'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { sortOf } from './compiled.ts'
import { compileCondition } from './expressions.ts'
import type { GroupRow } from './earning.sql.ts'
import { KINDS } from './kinds.ts'

/** Every field that is wrong in a rule's arguments, by JSON pointer into the request; none when they are the kind's. */
export function checkArgs(code: string, args: unknown, terms: RuleTerms = {}): FieldError[] {
  const kind = KINDS.find((k) => k.code === code)
  if (!kind) return [{ pointer: '/kind', detail: `must be one of ${KINDS.map((k) => k.code).join(', ')}` }]
  const parsed = kind.args.safeParse(args)
  if (parsed.success) return kind.faults(args, sortOf(terms))
  const errors = parsed.error.issues.flatMap((issue) => {
    const path = ['/args', ...issue.path.map(pointerPart)].join('/')
    if (issue.code !== 'unrecognized_keys') return [{ pointer: path, detail: issue.message }]
    return issue.keys.map((key) => ({
      pointer: `${path}/${pointerPart(key)}`,
      detail: `is not an argument of ${code}`,
    }))
  })
  return errors.filter((error, i) => errors.findIndex((other) => other.pointer === error.pointer) === i)
}

/** Every term that does not go with the rule's kind or with the event that it answers to, by JSON pointer. */
export function checkTerms(code: string, terms: RuleTerms): FieldError[] {
  const errors: FieldError[] = []
  const kind = KINDS.find((k) => k.code === code)
  const sort = sortOf(terms)
  if (kind && !kind.answers.includes(sort)) {
    const others = KINDS.filter((k) => k.answers.includes(sort)).map((k) => k.code)
    errors.push({ pointer: '/on', detail: `${code} answers to purchases only; use ${others.join(' or ')}` })
  }
  if (terms.on?.event === 'member' && terms.on.days !== undefined && terms.on.moment !== 'inactive') {
    errors.push({ pointer: '/on/days', detail: 'is for the moment inactive' })
  }
  if (terms.when !== undefined) {
    const condition = compileCondition(terms.when, sort)
    if ('fault' in condition) errors.push({ pointer: '/when', detail: condition.fault })
  }
  return errors
}

/**
 * Rules of one group pick alike, and either all of them multiply or none: otherwise it could not be said which one
 * stands.
 */
export function checkGroup(code: string, { group }: RuleTerms, others: readonly GroupRow[]): FieldError[] {
  if (group === undefined) return []
  const unlike = others.find((other) => other.group.pick !== group.pick)
  if (unlike) {
    const detail = `the group "${group.name}" picks ${unlike.group.pick} (rule "${unlike.name}")`
    return [{ pointer: '/group/pick', detail }]
  }
  const multiplies = (kind: string) => KINDS.find((k) => k.code === kind)?.multiplies === true
  const mixed = others.find((other) => multiplies(other.kind) !== multiplies(code))
  if (!mixed || group.pick === 'all') return []
  const detail = `multipliers have groups of their own (rule "${mixed.name}" is a ${mixed.kind})`
  return [{ pointer: '/group/name', detail }]
}

/** RFC 6901. */
function pointerPart(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1')
}
