import { DAY } from '../../../contract/instants.ts'
import type { Instant } from '../../../contract/instants.ts'
import { type Args, type Filter, type Rule, said, type Terms, type Version } from '../earning.ts'
import { feature } from '../feature.ts'
import { aWallet, type World } from '../world.ts'
import type { Random } from '../random.ts'
import { TYPES } from './activities.ts'
import { capsOf, lotExpiryOf, PERS, pendingOf } from './wallets.ts'

type Window = { startsAt?: Instant; endsAt?: Instant; terms?: Terms }
type Made = Window & { on?: string; rule: string; wallet: string; priority: number; args: Args }
type Published = Window & { rule: string; args: Args; effectiveFrom?: Instant }

const RULES_MAX = 6

/** A new rule, in force for purchases of any date within its window. */
export const rule = feature<Made>({
  do: 'rule',
  weight: 1.5,
  generate(r, w, n) {
    if (inUse(w).length >= RULES_MAX) return undefined
    const on = r.chance(0.25) ? { on: r.pick(TYPES) } : {}
    const made = { rule: `rule-${n}`, wallet: aWallet(r, w), priority: r.int(0, 2), ...on }
    return { ...made, args: on.on ? { kind: 'fixed', points: r.int(1, 60) } : argsOf(r), ...windowOf(r, w, on.on) }
  },
  model(w, { rule: name, on, wallet, priority, args, startsAt, endsAt, terms }) {
    const version = { args, ...boundsOf({ startsAt, endsAt }), ...(terms ? { terms } : {}) }
    w.rules.set(name, { name, ...(on ? { on } : {}), wallet, priority, status: 'active', versions: [version] })
    return { code: 'ok' }
  },
  act(driver, { at, rule: name, on, wallet, priority, args: { kind, ...args }, startsAt, endsAt, terms }) {
    const answers = on ? { on: { event: 'activity' as const, activity: on } } : {}
    const rule = { name, ...answers, kind, args, wallet, priority, startsAt, endsAt }
    return driver.createRule(at, name, { program: 'coffee', ...rule, ...asSaid(terms) })
  },
})

/** Another version: speaks from now on, or from a date before or ahead; what was decided stays decided. */
export const version = feature<Published>({
  do: 'version',
  weight: 1.5,
  generate(r, w) {
    const rules = inUse(w)
    if (rules.length === 0) return undefined
    const one = r.pick(rules)
    const kind = one.versions[0]?.args.kind
    let args = argsOf(r)
    while (args.kind !== kind) args = argsOf(r)
    const effectiveFrom = r.chance(0.5) ? {} : { effectiveFrom: w.now + r.int(-30, 10) * DAY }
    return { rule: one.name, args, ...effectiveFrom, ...windowOf(r, w, one.on) }
  },
  model(w, { rule: name, args, effectiveFrom, startsAt, endsAt, terms = {} }) {
    const one = w.rules.get(name)
    if (!one) return { code: 'rule_unknown' }
    if (one.status === 'archived') return { code: 'rule_state' }
    const bounds = boundsOf({ startsAt, endsAt })
    one.versions = [...one.versions, { args, terms, effectiveFrom: effectiveFrom ?? w.now, ...bounds }]
    return { code: 'ok' }
  },
  act(driver, { at, rule: name, args: said, effectiveFrom, startsAt = null, endsAt = null, terms }) {
    const { kind: _, ...args } = said
    const none = { when: null, pending: null, expiry: null, caps: null, cooldown: null, budget: null }
    return driver.publishRule(at, name, { args, effectiveFrom, startsAt, endsAt, ...none, ...asSaid(terms) })
  },
})

/** Holds from the next purchase on, whenever that happened. */
export const turn = feature<{ rule: string; turn: 'pause' | 'resume' | 'archive' }>({
  do: 'turn',
  weight: 1,
  generate(r, w) {
    const rules = [...w.rules.values()]
    if (rules.length === 0) return undefined
    return { rule: r.pick(rules).name, turn: r.pick(['pause', 'resume', 'resume', 'archive'] as const) }
  },
  model(w, { rule: name, turn: how }) {
    const one = w.rules.get(name)
    if (!one) return { code: 'rule_unknown' }
    const to = ({ pause: 'paused', resume: 'active', archive: 'archived' } as const)[how]
    if (one.status === 'archived' && to !== 'archived') return { code: 'rule_state' }
    one.status = to
    return { code: 'ok' }
  },
  act: (driver, { at, rule: name, turn: how }) => driver.turnRule(at, name, how),
})

/** The kill switch. */
export const program = feature<{ to: 'active' | 'paused' }>({
  do: 'program',
  weight: 4,
  generate(r, w) {
    if (w.paused) return { to: r.chance(0.9) ? 'active' : 'paused' }
    return r.chance(0.1) ? { to: r.chance(0.8) ? 'paused' : 'active' } : undefined
  },
  model(w, { to }) {
    w.paused = to === 'paused'
    return { code: 'ok' }
  },
  act: (driver, { at, to }) => driver.turnProgram(at, to),
})

const inUse = (w: World): Rule[] => [...w.rules.values()].filter((one) => one.status !== 'archived')

function boundsOf({
  startsAt,
  endsAt,
}: {
  startsAt: Instant | undefined
  endsAt: Instant | undefined
}): Partial<Version> {
  return { ...(startsAt === undefined ? {} : { startsAt }), ...(endsAt === undefined ? {} : { endsAt }) }
}

/** As the API takes them. */
function asSaid({ when, ...dates }: Terms = {}): Omit<Terms, 'when'> & { when?: string } {
  return { ...dates, ...(when ? { when: said(when) } : {}) }
}

function termsOf(r: Random, on: string | undefined): Terms {
  const when = on ? { stars: r.int(1, 5) } : { total: r.pick(['<', '>='] as const), amount: r.int(100, 8_000) }
  return {
    ...(r.chance(0.4) ? { when } : {}),
    ...(r.chance(0.3) ? { pending: pendingOf(r) } : {}),
    ...(r.chance(0.3) ? { expiry: lotExpiryOf(r) } : {}),
    ...(r.chance(0.5) ? { caps: capsOf(r) } : {}),
    ...(r.chance(0.2) ? { cooldown: r.pick(['PT30M', 'PT2H', 'P1D', 'P1W', 'P1M']) } : {}),
    ...(r.chance(0.2) ? { budget: budgetOf(r) } : {}),
  }
}

function budgetOf(r: Random): NonNullable<Terms['budget']> {
  const per = r.chance(0.6) ? { per: r.pick(PERS) } : {}
  const price = { pointCost: { points: r.int(1, 20), money: r.int(1, 20) } }
  const money = r.chance(0.3) ? { money: r.int(10, 500), ...price } : undefined
  return { ...(money && r.chance(0.7) ? {} : { points: r.int(1, 400) }), ...money, ...per }
}

function windowOf(r: Random, w: World, on: string | undefined): Window {
  const startsAt = w.now + r.int(-40, 5) * DAY
  return {
    ...(r.chance(0.2) ? { startsAt } : {}),
    ...(r.chance(0.2) ? { endsAt: startsAt + r.int(1, 60) * DAY } : {}),
    ...(r.chance(0.6) ? { terms: termsOf(r, on) } : {}),
  }
}

function argsOf(r: Random): Args {
  switch (r.int(0, 5)) {
    case 4: {
      const every = r.chance(0.5) ? { every: true } : {}
      return { kind: 'nth_purchase', n: r.int(1, 4), points: r.int(1, 40), ...every }
    }
    case 5:
      return { kind: 'first_time', points: r.int(1, 40), ...filterOf(r) }
    case 0:
      return { kind: 'fixed', points: r.int(1, 20) }
    case 1:
      return { kind: 'per_item', points: r.int(1, 5), ...filterOf(r) }
    case 2:
      return { kind: 'multiplier', factor: r.pick([1.5, 2, 1.3333, 3]) }
    default: {
      const rounding = r.pick([undefined, 'floor', 'half_up', 'ceil'] as const)
      const per = r.pick([1, 50, 100, 333])
      return { kind: 'per_amount', points: r.int(1, 3), per, ...(rounding ? { rounding } : {}), ...filterOf(r) }
    }
  }
}

function filterOf(r: Random): Filter {
  return {
    ...(r.chance(0.3) ? { skus: r.chance(0.5) ? ['beans'] : ['mug', 'seeds'] } : {}),
    ...(r.chance(0.2) ? { categories: ['bakery', 'coffee'] } : {}),
  }
}
