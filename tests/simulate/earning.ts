import type { Instant } from '../../contract/instants.ts'
import type { Budget } from '../../contract/rule-terms.ts'
import type { Cap, LotExpiry, Pending } from '../../contract/wallets.ts'
import { type Line, sum } from './world.ts'

/** Earning rules as docs/guides/earning-rules.md tells them, in numbers without end. */
export type Filter = { skus?: string[]; categories?: string[]; excludeSkus?: string[] }
export type Args =
  | ({ kind: 'per_amount'; points: number; per: number; rounding?: 'floor' | 'half_up' | 'ceil' } & Filter)
  | ({ kind: 'per_item'; points: number } & Filter)
  | { kind: 'fixed'; points: number }
  | { kind: 'multiplier'; factor: number }
  | { kind: 'nth_purchase'; n: number; points: number; every?: boolean }
  | ({ kind: 'first_time'; points: number } & Filter)

/** What a rule says of its points beside how many. */
export type Terms = {
  when?: When
  pending?: Pending
  expiry?: LotExpiry
  caps?: Cap[]
  cooldown?: string
  budget?: Budget
}
/** A condition on what is (or is left) in the purchase, or on the stars of an activity; `said` is the same in CEL. */
export type When = { total: '<' | '>='; amount: number } | { stars: number }
export const said = (when: When): string =>
  'stars' in when ? `activity.data.stars >= ${when.stars}` : `purchase.total ${when.total} ${when.amount}`

export type Version = {
  args: Args
  terms?: Terms
  /** undefined: for purchases of any date */
  effectiveFrom?: Instant
  startsAt?: Instant
  endsAt?: Instant
}
export type Rule = {
  name: string
  wallet: string
  priority: number
  /** the type of activity that it answers to; purchases unless told */
  on?: string
  status: 'active' | 'paused' | 'archived'
  versions: Version[]
}

/** The rules as they speak for what happens at `at`: each as the one version that is in force, in order. */
export function inForce(rules: Iterable<Rule>, at: Instant, on: string | undefined): Rule[] {
  const found: Rule[] = []
  for (const rule of rules) {
    if (rule.status !== 'active' || rule.on !== on) continue
    let speaks: Version | undefined
    for (const version of rule.versions) if ((version.effectiveFrom ?? at) <= at) speaks = version
    if (!speaks || at < (speaks.startsAt ?? at) || (speaks.endsAt !== undefined && at >= speaks.endsAt)) continue
    found.push({ ...rule, versions: [speaks] })
  }
  const multiplies = (rule: Rule) => Number(rule.versions[0]?.args.kind === 'multiplier')
  return found.sort((a, b) => multiplies(a) - multiplies(b) || a.priority - b.priority) // stable: then as made
}

/** Of everything that may be given: `whole`, or not at all; `part` is what is left to be had; `shut`: nothing, for a while. */
export type Room = { whole: number; part: number; shut: boolean }
/** What limits left when it was decided, by rule and by wallet: it is decided again with the same. */
/** `multipliers`: those of the tiers that were held. `number`: the how many-th purchase it is of the member. */
export type Rooms = { rules: Map<string, Room>; wallets: Map<string, Room>; multipliers?: string[]; number?: number }
/** What happened: in a purchase, these lines; else an activity with so many stars. */
export type What = Line[] | { type: string; stars: number }

export type Award = { rule: string; wallet: string; points: number; terms: Terms | undefined }

/** What rules in force give for this within these limits, in order; nothing that is zero. */
export function awards(rules: readonly Rule[], what: What, rooms: Rooms): Award[] {
  const plain: Award[] = []
  const more: Award[] = []
  for (const rule of rules) {
    const { name, wallet, versions } = rule
    const { args, terms } = versions[0] as Version
    if (terms?.when && !isTrue(terms.when, what)) continue
    const ground = plain.filter((a) => a.wallet === wallet).reduce((sum, a) => sum + a.points, 0)
    const wanted =
      args.kind === 'multiplier' ? multiplied(args.factor, ground) : plainPoints(args, what, rooms.number ?? 0)
    const points = allowed(rooms, rule, wanted, [...plain, ...more])
    if (points > 0) (args.kind === 'multiplier' ? more : plain).push({ rule: name, wallet, points, terms })
  }
  return [...plain, ...more, ...bonuses(rules, rooms, plain, more)]
}

/** What each tier adds to each award of a rule that does not multiply; a wallet's sum is rounded down once. */
function bonuses(rules: readonly Rule[], rooms: Rooms, plain: readonly Award[], more: readonly Award[]): Award[] {
  const given: Award[] = []
  for (const factor of (rooms.multipliers ?? []).map(Number)) {
    const grounds = new Map<string, number>()
    for (const award of factor > 1 ? plain : []) {
      const { wallet, points } = award
      const ground = grounds.get(wallet) ?? 0
      grounds.set(wallet, ground + points)
      const wanted = multiplied(factor, ground + points) - multiplied(factor, ground)
      const rule = rules.find(({ name }) => name === award.rule) as Rule
      const bonus = allowed(rooms, rule, wanted, [...plain, ...more, ...given])
      if (bonus > 0) given.push({ ...award, points: bonus })
    }
  }
  return given
}

/** How much of what a rule wants to give there is room for. */
function allowed({ rules, wallets }: Rooms, rule: Rule, wanted: number, given: readonly Award[]): number {
  const own = rules.get(rule.name) as Room
  const wallet = wallets.get(rule.wallet) as Room
  const before = sum(given.filter((award) => award.wallet === rule.wallet).map((award) => award.points))
  const itself = sum(given.filter((award) => award.rule === rule.name).map((award) => award.points))
  if (own.shut || wanted > Math.min(own.whole - itself, wallet.whole - before)) return 0
  return Math.max(0, Math.min(wanted, own.part - itself, wallet.part - before))
}

function isTrue(when: When, what: What): boolean {
  if ('stars' in when) return !Array.isArray(what) && what.stars >= when.stars
  const total = Array.isArray(what) ? sum(what.map((line) => line.amount)) : 0
  return when.total === '<' ? total < when.amount : total >= when.amount
}

/** (factor − 1) × ground, rounded down; a factor has at most four decimals. */
function multiplied(factor: number, ground: number): number {
  const [whole = '0', decimals = ''] = String(factor).split('.')
  const parts = BigInt(whole) * 10_000n + BigInt(decimals.padEnd(4, '0')) - 10_000n
  return Number((BigInt(ground) * parts) / 10_000n)
}

function plainPoints(args: Exclude<Args, { kind: 'multiplier' }>, what: What, number: number): number {
  const lines = Array.isArray(what) ? what : []
  if (args.kind === 'fixed') return lines.length > 0 || lines !== what ? args.points : 0
  if (args.kind === 'nth_purchase') {
    const isIt = args.every ? number % args.n === 0 : number === args.n
    return isIt && lines.length > 0 ? args.points : 0
  }
  const counting = lines.filter((line) => counts(args, line))
  if (args.kind === 'first_time') return counting.length > 0 ? args.points : 0
  if (args.kind === 'per_item') return args.points * counting.reduce((units, line) => units + line.quantity, 0)
  const amount = counting.reduce((sum, line) => sum + BigInt(line.amount), 0n) * BigInt(args.points)
  const per = BigInt(args.per)
  const [whole, rest] = [amount / per, amount % per]
  const up = args.rounding === 'ceil' ? rest > 0n : args.rounding === 'half_up' && 2n * rest >= per
  return Number(whole + (up ? 1n : 0n))
}

function counts({ skus, categories, excludeSkus }: Filter, line: Line): boolean {
  if (excludeSkus?.includes(line.sku)) return false
  if (!skus && !categories) return true
  return Boolean(skus?.includes(line.sku) || (line.category !== undefined && categories?.includes(line.category)))
}

/** What is left of the lines after so many units of each came back: the amount less its share, half away from zero. */
export function remaining(lines: readonly Line[], returned: readonly number[]): Line[] {
  return lines.flatMap((line, i) => {
    const back = returned[i] ?? 0
    if (back === line.quantity) return []
    const off = Math.floor((2 * line.amount * back + line.quantity) / (2 * line.quantity))
    return [{ ...line, quantity: line.quantity - back, amount: line.amount - off }]
  })
}
