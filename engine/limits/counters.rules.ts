import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Given } from './limits.rules.ts'

/** What is counted of a member: what a rule gave, what all rules gave in a wallet, a program's purchases. */
export const SCOPES = { rule: 1, wallet: 2, purchases: 3 } as const
export type Scope = (typeof SCOPES)[keyof typeof SCOPES]

export type CounterKey = { member: Uuid; scope: Scope; scopeId: number; period: string }

/**
 * What was given a member in one period. lastAt: the latest occurredAt of it. keptAt: when it was last written, 0 while
 * it never was: one that was counted from history is written with the next change, so that it is counted once.
 */
export type Counter = CounterKey & Given & { lastAt: Instant | null; keptAt: Instant }

export function counterName({ member, scope, scopeId, period }: CounterKey): string {
  return `${member} ${scope} ${scopeId} ${period}`
}

/** With one more decision of `at` counted, which gave `points`. */
export function counting(counter: Counter, points: number, at: Instant, now: Instant): Counter {
  const { lastAt } = counter
  return {
    ...counter,
    times: counter.times + 1,
    points: counter.points + points,
    lastAt: lastAt === null || at > lastAt ? at : lastAt,
    keptAt: now,
  }
}

export function emptyCounter({ member, scope, scopeId, period }: CounterKey): Counter {
  return { member, scope, scopeId, period, times: 0, points: 0, lastAt: null, keptAt: 0 }
}

/** Ascending, as rows are touched. */
export function byCounter(a: CounterKey, b: CounterKey): number {
  return order(a.member, b.member) || a.scope - b.scope || a.scopeId - b.scopeId || order(a.period, b.period)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
