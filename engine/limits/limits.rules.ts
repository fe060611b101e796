import type { Instant } from '@laurel/contract/instants'
import type { Per, Period } from '@laurel/contract/periods'
import type { Cap } from '@laurel/contract/wallets'
import { addPeriod } from '../base/calendar.ts'

/** What was given in one period: times (purchases or activities that gave anything), and points. */
export type Given = { times: number; points: number }

/** What was given several, who are one. */
export function together(all: readonly (Given | undefined)[]): Given {
  const sum = { times: 0, points: 0 }
  for (const one of all) {
    sum.times += one?.times ?? 0
    sum.points += one?.points ?? 0
  }
  return sum
}

/**
 * What a rule may give now. Absent: without limit. clip: gives what is left. refuse: gives nothing rather than part. budget: what is
 * left for all members. cooling: it gave this member something too close in time.
 */
export type RuleRoom = { rule: number; clip?: number; refuse?: number; budget?: number; cooling?: true }
/** What all rules together may give the member in a wallet. */
export type WalletRoom = { wallet: number; clip?: number; refuse?: number }
/** All that limits a decision, as it was before it: kept with what was decided, so that it can be decided again. */
export type Rooms = { rules: RuleRoom[]; wallets: WalletRoom[] }

export type LimitedRule = {
  ruleId: number
  walletId: number
}
export type Cause = 'cap_reached' | 'cooling_down' | 'budget_spent'

/** What caps leave, given what was given in the period of each. `times` counts whole decisions: one that is left is left whole. */
export function capsRoom(
  caps: readonly Cap[],
  given: (per: Per) => Given | undefined,
): { clip?: number; refuse?: number } {
  const room: { clip?: number; refuse?: number } = {}
  for (const cap of caps) {
    const { times, points } = given(cap.per) ?? { times: 0, points: 0 }
    let left = cap.points === undefined ? undefined : Math.max(0, cap.points - points)
    if (cap.times !== undefined && times >= cap.times) left = 0
    if (left === undefined) continue
    const how = cap.over ?? 'clip'
    room[how] = Math.min(left, room[how] ?? left)
  }
  return room
}

/** Whether any award lies so close to `at`, before or after it, that one of the two would fall into the other's cooldown. */
export function isCooling(awards: readonly Instant[], at: Instant, cooldown: Period, timezone: string): boolean {
  return awards.some((award) =>
    award <= at ? at < addPeriod(award, cooldown, timezone) : award < addPeriod(at, cooldown, timezone),
  )
}

/**
 * Rooms that a decision takes from: what one rule was given, the next one of the same wallet has less. A rule's own
 * room and its wallet's both hold. Whether a cap refuses goes by what was wanted, before anything is clipped.
 */
export function limitsOf(rooms: Rooms) {
  const rules = new Map(rooms.rules.map((room) => [room.rule, { ...room }]))
  const wallets = new Map(rooms.wallets.map((room) => [room.wallet, { ...room }]))
  return {
    room(rule: LimitedRule, points: number): number | 'refuse' {
      const own = rules.get(rule.ruleId)
      const wallet = wallets.get(rule.walletId)
      if (own?.cooling) return 0
      if (points > least(own?.refuse, wallet?.refuse)) return 'refuse'
      return Math.min(points, least(own?.clip, wallet?.clip), least(own?.budget))
    },
    take(rule: LimitedRule, points: number): void {
      for (const room of [rules.get(rule.ruleId), wallets.get(rule.walletId)]) if (room) use(room, points)
    },
    why(rule: LimitedRule, points: number): { cause: Cause; why: string } {
      return because(rules.get(rule.ruleId), wallets.get(rule.walletId), points)
    },
  }
}

function use(room: RuleRoom | WalletRoom, points: number): void {
  if (room.clip !== undefined) room.clip = Math.max(0, room.clip - points)
  if (room.refuse !== undefined) room.refuse = Math.max(0, room.refuse - points)
  if ('budget' in room && room.budget !== undefined) room.budget = Math.max(0, room.budget - points)
}

/** The first limit that leaves less than `points`: its cooldown, its caps, the wallet's, its budget. */
function because(
  own: RuleRoom | undefined,
  wallet: WalletRoom | undefined,
  points: number,
): { cause: Cause; why: string } {
  if (own?.cooling) return { cause: 'cooling_down', why: 'it gave this member something too short a time ago' }
  const caps = [
    { left: own?.refuse, how: 'refuse', whose: "the rule's cap" },
    { left: wallet?.refuse, how: 'refuse', whose: "the wallet's cap" },
    { left: own?.clip, how: 'clip', whose: "the rule's cap" },
    { left: wallet?.clip, how: 'clip', whose: "the wallet's cap" },
  ]
  const cap = caps.find(({ left, how }) => left !== undefined && (how === 'refuse' ? points > left : left === 0))
  if (cap) {
    return {
      cause: 'cap_reached',
      why: cap.left === 0 ? `${cap.whose} is reached for this member` : `${cap.whose} leaves this member ${cap.left}`,
    }
  }
  if (own?.budget === 0) return { cause: 'budget_spent', why: 'its budget is spent' }
  const room = least(own?.clip, wallet?.clip)
  if (room <= least(own?.budget)) {
    const whose = room === own?.clip ? "the rule's cap" : "the wallet's cap"
    return { cause: 'cap_reached', why: `${whose} leaves this member ${room}` }
  }
  return { cause: 'budget_spent', why: `its budget leaves ${own?.budget}` }
}

function least(...limits: (number | undefined)[]): number {
  let least = Number.POSITIVE_INFINITY
  for (const limit of limits) if (limit !== undefined && limit < least) least = limit
  return least
}
