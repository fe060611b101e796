import type { Per } from '@laurel/contract/periods'

/** What a rule may give all members together in one period, in points. */
export type BudgetLimit = { per: Per; points: number }
export type BudgetKey = { ruleId: number; period: string }

/** `room`: how much may have been spent before, at most, so that this much fits under `limit`. */
export type BudgetTake = BudgetKey & { points: number; room: number; limit: number }

/** What a budget says: `pointCost` is what so many points cost, in minor units. */
export type BudgetSaid = {
  points?: number | undefined
  money?: number | undefined
  pointCost?: { points: number; money: number } | undefined
  per?: Per | undefined
}

export function budgetName({ ruleId, period }: BudgetKey): string {
  return `${ruleId} ${period}`
}

/** As points, rounded down: the lesser of what it says in points and what its money buys. Money that has no price buys one each. */
export function budgetLimit({ points, money, pointCost, per }: BudgetSaid): BudgetLimit {
  const bought = money === undefined ? undefined : pointsFor(money, pointCost ?? { points: 1, money: 1 })
  return {
    per: per ?? 'lifetime',
    points: Math.min(points ?? Number.MAX_SAFE_INTEGER, bought ?? Number.MAX_SAFE_INTEGER),
  }
}

/** What points cost, in minor units rounded up. */
export function costOf(points: number, { pointCost }: BudgetSaid): number {
  const price = pointCost ?? { points: 1, money: 1 }
  const cost = (BigInt(points) * BigInt(price.money) + BigInt(price.points) - 1n) / BigInt(price.points)
  return safe(cost)
}

function pointsFor(money: number, price: { points: number; money: number }): number {
  return safe((BigInt(money) * BigInt(price.points)) / BigInt(price.money))
}

function safe(n: bigint): number {
  return n > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(n)
}

/** The takes of one list, those from the same budget added up in their order; ascending. Each fits on top of those before it. */
export function addTakes(takes: readonly BudgetTake[]): BudgetTake[] {
  const sums = new Map<string, BudgetTake>()
  for (const take of takes) {
    const name = budgetName(take)
    const sum = sums.get(name)
    if (sum) {
      sum.room = Math.min(sum.room, take.room - sum.points)
      sum.points += take.points
      sum.limit = take.limit
    } else {
      sums.set(name, { ...take })
    }
  }
  return [...sums.values()].sort(
    (a, b) => a.ruleId - b.ruleId || (a.period < b.period ? -1 : a.period > b.period ? 1 : 0),
  )
}
