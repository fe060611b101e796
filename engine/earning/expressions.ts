import { Environment, EvaluationError } from '@marcbachmann/cel-js'
import { ActivityFacts, factsOf, ItemFacts, LocalFacts, PersonFacts, PurchaseFacts } from './facts.ts'
import type { Question, Reads } from './question.ts'
import { Forbidden, harden, type Meter, type Node, STEPS_MAX } from './sandbox.ts'

/**
 * Conditions and formulas: CEL (cel.dev) over what a question says, and over nothing else. Compiled once a rule
 * version, run in bounded time (sandbox.ts); a run that fails gives the reason, never an exception.
 */

/** What sort of event an expression is about: it decides which variables there are. */
export type Sort = 'purchase' | 'activity' | 'member'
/** Or a reward: that is offered, or redeemed for what was paid; or what counts towards a tier. */
export type Topic = Sort | 'offer' | 'redemption' | 'tier'

/** A run that gave nothing, and why in a few words. */
export type Failed = { error: string }

export type Expression<T> = {
  reads: Reads
  /** the variables that it reads */
  names: ReadonlySet<string>
  run(question: Question): T | Failed
}

const LIMITS = { maxAstNodes: 400, maxDepth: 32, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 }
const REASON_MAX = 200

/** A namespace in which the evaluator finds math.floor and its kin. */
class Mathematics {}

const base = new Environment({ limits: LIMITS })
base.registerType('Item', {
  ctor: ItemFacts,
  fields: { sku: 'string', name: 'string', category: 'string', brand: 'string', quantity: 'int', amount: 'int' },
})
base.registerType('Purchase', {
  ctor: PurchaseFacts,
  fields: {
    total: 'int',
    currency: 'string',
    channel: 'string',
    store: 'string',
    metadata: 'map<string, dyn>',
    number: 'int',
    items: 'list<Item>',
  },
})
base.registerType('Activity', { ctor: ActivityFacts, fields: { type: 'string', data: 'map<string, dyn>' } })
base.registerType('Member', {
  ctor: PersonFacts,
  fields: {
    externalId: 'string',
    attributes: 'map<string, dyn>',
    joinedAt: 'google.protobuf.Timestamp',
    birthDate: 'string',
    birthMonth: 'int',
    birthDay: 'int',
    locale: 'string',
    hasEmail: 'bool',
    hasPhone: 'bool',
    hasName: 'bool',
    tiers: 'map<string, string>',
  },
})
base.registerType('Local', {
  ctor: LocalFacts,
  fields: { year: 'int', month: 'int', day: 'int', hour: 'int', minute: 'int', weekday: 'int', date: 'string' },
})
base.registerType('Math', Mathematics)
base.registerConstant('math', 'Math', new Mathematics())
const at = { async: false }
base.registerFunction('Math.greatest(int, int): int', (_, a: bigint, b: bigint) => (a > b ? a : b), at)
base.registerFunction('Math.greatest(double, double): double', (_, a: number, b: number) => Math.max(a, b), at)
base.registerFunction('Math.least(int, int): int', (_, a: bigint, b: bigint) => (a < b ? a : b), at)
base.registerFunction('Math.least(double, double): double', (_, a: number, b: number) => Math.min(a, b), at)
base.registerFunction('Math.floor(double): double', (_, a: number) => Math.floor(a), at)
base.registerFunction('Math.ceil(double): double', (_, a: number) => Math.ceil(a), at)
base.registerFunction('Math.round(double): double', (_, a: number) => Math.sign(a) * Math.round(Math.abs(a)), at)
base.registerFunction('list<int>.sum(): int', sumOfInts, at)
base.registerFunction('list<double>.sum(): double', (list: number[]) => list.reduce((sum, n) => sum + n, 0), at)
base.registerVariable('member', 'Member')
base.registerVariable('local', 'Local')
base.registerVariable('occurredAt', 'google.protobuf.Timestamp')

const TIER_WORDS = ['earned', 'balance', 'spend', 'purchases', 'activities', 'daysAsMember'] as const

/** Nothing but what counts. */
function tierWords(): Environment {
  const environment = base.clone({})
  for (const name of TIER_WORDS) environment.registerVariable(name, 'int')
  return environment
}

const SPEAK: Record<Topic, { environment: Environment; variables: ReadonlySet<string> }> = {
  purchase: speak({ purchase: 'Purchase', items: 'list<Item>' }),
  activity: speak({ activity: 'Activity' }),
  member: speak({ activity: 'Activity' }),
  offer: speak({}),
  redemption: speak({ paid: 'map<string, int>' }),
  tier: { environment: tierWords(), variables: new Set(TIER_WORDS) },
}

function speak(own: Record<string, string>) {
  const environment = base.clone({})
  for (const [name, type] of Object.entries(own)) environment.registerVariable(name, type)
  return { environment, variables: new Set([...Object.keys(own), 'member', 'local', 'occurredAt']) }
}

function sumOfInts(list: bigint[]): bigint {
  const sum = list.reduce((all, n) => all + n, 0n)
  if (BigInt.asIntN(64, sum) !== sum) throw new EvaluationError('integer overflow')
  return sum
}

/** True or false, or why it is neither. `fault`: what is wrong with the text, and where. */
export function compileCondition(source: string, sort: Topic): Expression<boolean> | { fault: string } {
  return compile(source, sort, ['bool'], 'true or false', (value) => (typeof value === 'boolean' ? value : undefined))
}

/** A finite number, whole or not. */
export function compileNumber(source: string, sort: Topic): Expression<number> | { fault: string } {
  return compile(source, sort, ['int', 'double'], 'a number', (value) =>
    typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined,
  )
}

function compile<T>(
  source: string,
  sort: Topic,
  types: readonly string[],
  wanted: string,
  read: (value: unknown) => T | undefined,
): Expression<T> | { fault: string } {
  const { environment, variables } = SPEAK[sort]
  const meter: Meter = { left: 0 }
  const names = { variables, read: new Set<string>() }
  try {
    const program = environment.parse(source)
    const { type, error } = program.check()
    if (error) throw error
    if (type !== 'dyn' && !types.includes(type ?? '')) return { fault: `gives ${type}, not ${wanted}` }
    harden(program.ast as unknown as Node, names, meter)
    const reads = {
      member: names.read.has('member'),
      number: names.read.has('purchase'),
      local: names.read.has('local'),
    }
    return { reads, names: names.read, run: (question) => run(program, question, meter, wanted, read) }
  } catch (error) {
    return { fault: faultOf(error, source) }
  }
}

function run<T>(
  program: (facts: object) => unknown,
  question: Question,
  meter: Meter,
  wanted: string,
  read: (value: unknown) => T | undefined,
): T | Failed {
  meter.left = STEPS_MAX
  try {
    const value = program(factsOf(question))
    // what is caught inside an expression (`||` takes errors for no answer) does not make it shorter
    if (meter.left < 0) return { error: 'it takes too many steps' }
    return read(value) ?? { error: `it gives ${nameOf(value)}, not ${wanted}` }
  } catch (error) {
    return { error: meter.left < 0 ? 'it takes too many steps' : summaryOf(error) }
  }
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return (
    { string: 'a text', bigint: 'a number', number: 'a number', boolean: 'true or false' }[typeof value as string] ??
    'a map'
  )
}

function summaryOf(error: unknown): string {
  const { summary, message } = error as { summary?: string; message?: string }
  const text = (summary ?? message ?? 'unknown').replace(
    'Unknown variable: member',
    'it is not known who the member is',
  )
  return text.length > REASON_MAX ? `${text.slice(0, REASON_MAX)}…` : text
}

function faultOf(error: unknown, source: string): string {
  const at = error instanceof Forbidden ? error.at : (error as { range?: { start: number } }).range?.start
  if (at === undefined) return summaryOf(error)
  const before = source.slice(0, at).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${summaryOf(error)}`
}
