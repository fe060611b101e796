import { parseInstant } from '@laurel/contract/instants'
import { RE2JS } from 're2js'

/**
 * What keeps an expression that somebody wrote small and bounded: a list of what it may call, and a meter that its
 * parts report to while it runs. The evaluator itself limits nodes and depth; it does not limit loops within loops,
 * lists that double, or regular expressions that never end.
 */

/** As the evaluator parses and checks it. `alternate` is what a macro became. */
export type Node = {
  op: string
  args: unknown
  start: number
  checkedType?: { name: string }
  meta: { alternate?: Node; macro?: unknown; evaluate: Evaluate }
  setMeta(key: 'evaluate', evaluate: Evaluate): void
}
type Evaluate = (ev: { run(node: Node, ctx: unknown): unknown }, ast: Node, ctx: unknown) => unknown
type Comprehension = { iterable: Node; iterVarName: string; step: Node }

/** What an expression may read, of what is not the same for everybody who asks. */
export type Names = { variables: ReadonlySet<string>; read: Set<string> }

/** Something that an expression may not say, at a place in it. */
export class Forbidden extends Error {
  at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** Steps left in this run. One step is about a tenth of a microsecond. */
export type Meter = { left: number }
export const STEPS_MAX = 100_000
const MACROS_DEEP = 2
const PATTERN_MAX = 200
const DURATION = /^-?(?:\d{1,9}(?:\.\d{1,9})?(?:h|m|s|ms)){1,4}$/
/** Instructions that a pattern is compiled to: each may run for every character of a text. */
const PROGRAM_MAX = 500

/** One for all: it is only ever caught. */
const EXHAUSTED = new Error('it takes too many steps')

const CALLS = new Set(['has', 'size', 'int', 'double', 'string', 'timestamp', 'duration'])
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const METHODS = new Set(
  'size startsWith endsWith contains matches lowerAscii upperAscii trim sum greatest least floor ceil round'.split(' '),
)
/** Values of these are small: to look at one is one step. */
const SMALL = new Set(['bool', 'int', 'double', 'null', 'google.protobuf.Timestamp', 'google.protobuf.Duration'])

/** Refuses (throws Forbidden) what is not allowed and makes the rest report to the meter. After the check of types. */
export function harden(root: Node, names: Names, meter: Meter): void {
  walk(root, { names, meter, scope: new Set(), deep: 0 })
}

type At = { names: Names; meter: Meter; scope: ReadonlySet<string>; deep: number }

/** How many nodes there are, without those of loops: they count themselves, turn by turn. */
function walk(node: Node, at: At): number {
  if (node.op === 'rcall' && node.meta.alternate) return loop(node, node.meta.alternate, at)
  switch (node.op) {
    case 'value':
      if (typeof node.args === 'object' && node.args !== null)
        throw new Forbidden('bytes and unsigned numbers are not offered', node.start)
      return 1
    case 'id':
      return variable(node, at)
    case '.':
      return field(node, at)
    case 'call':
      return call(node, at)
    case 'rcall':
      return method(node, at)
    case '==':
    case '!=':
    case 'in':
    case '+':
      return measured(node, at)
    case 'map':
      return sum((node.args as [Node, Node][]).flat(), at)
    case '!_':
    case '-_':
    case 'accuPush':
      return 1 + walk(node.args as Node, at)
    case 'accuValue':
    case 'accuInc':
      return 1
    case '[]':
    case '?:':
    case '||':
    case '&&':
    case 'list':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return sum(node.args as Node[], at)
    default:
      throw new Forbidden(`${node.op} is not offered`, node.start)
  }
}

function sum(nodes: readonly Node[], at: At): number {
  let nodesIn = 1
  for (const node of nodes) nodesIn += walk(node, at)
  return nodesIn
}

function variable(node: Node, { names, scope }: At): number {
  const name = node.args as string
  if (scope.has(name)) return 1
  if (!names.variables.has(name)) throw new Forbidden(`Unknown variable: ${name}`, node.start)
  names.read.add(name)
  return 1
}

/** `purchase.number` is told from all else of the purchase, since it costs something to know. */
function field(node: Node, at: At): number {
  const [left, name] = node.args as [Node, string]
  if (left.op === 'id' && left.args === 'purchase' && !at.scope.has('purchase') && name !== 'number') {
    at.names.read.add('purchase.')
    return 2
  }
  return 1 + walk(left, at)
}

function loop(call: Node, became: Node, at: At): number {
  const [name] = call.args as [string]
  if (!MACROS.has(name)) throw new Forbidden(`${name}() is not offered`, call.start)
  if (at.deep === MACROS_DEEP)
    throw new Forbidden(`at most ${MACROS_DEEP} of all, exists, map and filter inside one another`, call.start)
  const { iterable, iterVarName, step } = became.args as Comprehension
  const around = walk(iterable, at)
  const inside = walk(step, { ...at, scope: new Set([...at.scope, iterVarName]), deep: at.deep + 1 })
  const inner = step.meta.evaluate
  const { meter } = at
  step.setMeta('evaluate', (ev, ast, ctx) => {
    spend(meter, inside)
    return inner(ev, ast, ctx)
  })
  return 1 + around
}

function call(node: Node, at: At): number {
  const [name, args] = node.args as [string, Node[]]
  if (!CALLS.has(name)) throw new Forbidden(`${name}() is not offered`, node.start)
  if (name === 'timestamp' || name === 'duration') time(node, name, args[0])
  else if (name !== 'has') for (const arg of args) weighed(arg, at.meter)
  return sum(args, at)
}

/**
 * Known beforehand, so that nothing is read by the server's clock or calendar, and a mistake is found when it is made.
 */
function time(node: Node, name: string, said: Node | undefined): void {
  if (said?.op !== 'value' || typeof said.args !== 'string')
    throw new Forbidden(`${name}() takes a text in quotes`, node.start)
  if (name === 'duration') {
    if (DURATION.test(said.args)) return
    throw new Forbidden('duration() takes hours, minutes and seconds, such as 72h or 1h30m', said.start)
  }
  const instant = parseInstant(said.args)
  if (instant === undefined)
    throw new Forbidden('timestamp() takes an instant with an offset, such as 2026-11-22T09:30:00Z', said.start)
  const ms = Math.floor(instant / 1000)
  node.setMeta('evaluate', () => new Date(ms))
}

function method(node: Node, at: At): number {
  const [name, receiver, args] = node.args as [string, Node, Node[]]
  if (!METHODS.has(name)) throw new Forbidden(`${name}() is not offered`, node.start)
  if (receiver.op === 'id' && receiver.args === 'math' && !at.scope.has('math')) return sum(args, at)
  const nodes = sum([receiver, ...args], at)
  weighed(receiver, at.meter)
  if (name === 'matches') linear(node, receiver, args[0], at.meter)
  if (name === 'contains' && args[0]) searched(node, receiver, args[0], at.meter)
  return nodes
}

/** `matches` as RE2 does it: in time that is bounded by pattern times text. The evaluator's own is never run. */
function linear(node: Node, receiver: Node, pattern: Node | undefined, meter: Meter): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string')
    throw new Forbidden('matches() takes a pattern in quotes', node.start)
  const re2 = compiled(pattern.args, pattern.start)
  const size = re2.programSize()
  node.setMeta('evaluate', (ev, _ast, ctx) => {
    const text = ev.run(receiver, ctx)
    if (typeof text !== 'string') throw new Error('matches() takes a text')
    spend(meter, Math.ceil((text.length * size) / 4))
    return re2.matcher(text).find()
  })
}

/** A search may look at each character of the text for each of the part. */
function searched(node: Node, receiver: Node, sought: Node, meter: Meter): void {
  node.setMeta('evaluate', (ev, _ast, ctx) => {
    const text = ev.run(receiver, ctx)
    const part = ev.run(sought, ctx)
    if (typeof text !== 'string' || typeof part !== 'string') throw new Error('contains() looks for a text in a text')
    spend(meter, 1 + Math.ceil((text.length * part.length) / 64))
    return text.includes(part)
  })
}

function compiled(pattern: string, at: number): RE2JS {
  if (pattern.length > PATTERN_MAX) throw new Forbidden(`a pattern has at most ${PATTERN_MAX} characters`, at)
  let re2: RE2JS
  try {
    re2 = RE2JS.compile(pattern)
  } catch (error) {
    throw new Forbidden(`the pattern cannot be read: ${error instanceof Error ? error.message : 'unknown'}`, at)
  }
  if (re2.programSize() > PROGRAM_MAX) throw new Forbidden('the pattern is too large', at)
  return re2
}

/** Operators that walk through what they are given, or make something that is larger. */
function measured(node: Node, at: At): number {
  const args = node.args as Node[]
  const nodes = sum(args, at)
  for (const arg of args) weighed(arg, at.meter)
  if (node.op === '+') weighed(node, at.meter)
  return nodes
}

/** Whatever this node gives is counted by its size. */
function weighed(node: Node, meter: Meter): void {
  const target = node.meta.alternate ?? node
  if (target.meta.macro || SMALL.has(target.checkedType?.name ?? '')) return
  const inner = target.meta.evaluate
  target.setMeta('evaluate', (ev, ast, ctx) => {
    const value = inner(ev, ast, ctx)
    weigh(value, meter)
    return value
  })
}

function weigh(value: unknown, meter: Meter): void {
  if (typeof value === 'string') spend(meter, 1 + (value.length >> 4))
  else if (Array.isArray(value)) {
    spend(meter, 1 + value.length)
    for (const inner of value) if (typeof inner !== 'bigint') weigh(inner, meter)
  } else if (value instanceof Map) {
    spend(meter, 1 + value.size)
    for (const inner of value.values()) weigh(inner, meter)
  }
}

function spend(meter: Meter, steps: number): void {
  meter.left -= steps
  if (meter.left < 0) throw EXHAUSTED
}
