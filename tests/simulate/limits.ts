import type { Instant } from '../../contract/instants.ts'
import type { Per } from '../../contract/periods.ts'
import type { Cap } from '../../contract/wallets.ts'
import { later, periodOf } from './calendar.ts'
import { awards, inForce, type Room, type Rooms, type Rule, type Terms, type What } from './earning.ts'
import { multipliersAt } from './tiers.ts'
import { familyOf, type Member, settingsOf, sum, type World } from './world.ts'

/**
 * Caps, cooldowns and budgets as docs/guides/caps-and-budgets.md tells them: whatever rules ever gave is in a list, and every limit
 * counts it again. There are no counters.
 */

/** What a rule gave a member for something of then: at first, whatever came back of it since. */
export type Given = {
  rule: string
  wallet: string
  points: number
  at: Instant
  source: string
  /** of the budget that it was taken from */
  budget: Per | undefined
}
/** Decides, counts what is given, and says by what it was decided. */
export function decided(w: World, member: Member, what: What, at: Instant, source: string) {
  const rules = inForce(w.rules.values(), at, Array.isArray(what) ? undefined : what.type)
  const rooms = roomsOf(w, member, rules, at)
  if (Array.isArray(what)) {
    const family = new Set(familyOf(w, member))
    rooms.multipliers = multipliersAt(w, member, at)
    rooms.number = 1 + [...w.purchases.values()].filter((one) => family.has(one.member)).length
  }
  const given = awards(rules, what, rooms)
  for (const { rule, wallet, points, terms } of given) {
    const budget = terms?.budget && (terms.budget.per ?? 'lifetime')
    member.given.push({ rule, wallet, points, at, source, budget })
  }
  return { rules, rooms, given }
}

function roomsOf(w: World, member: Member, rules: readonly Rule[], at: Instant): Rooms {
  const rooms: Rooms = { rules: new Map(), wallets: new Map() }
  for (const { name, wallet, versions } of rules) {
    const terms = versions[0]?.terms ?? {}
    const given = familyOf(w, member).flatMap((one) => one.given)
    const own = given.filter((one) => one.rule === name)
    const once: Cap[] = versions[0]?.args.kind === 'first_time' ? [{ per: 'lifetime', times: 1 }] : []
    const room = capped(w, [...(terms.caps ?? []), ...once], own, at)
    room.part = Math.min(room.part, budgetLeft(w, name, terms, at))
    room.shut = own.some((one) => tooClose(w, one.at, at, terms.cooldown))
    rooms.rules.set(name, room)
    const there = given.filter((one) => one.wallet === wallet)
    rooms.wallets.set(wallet, capped(w, settingsOf(w, wallet).caps, there, at))
  }
  return rooms
}

function capped(w: World, caps: readonly Cap[], given: readonly Given[], at: Instant): Room {
  const room = { whole: Number.POSITIVE_INFINITY, part: Number.POSITIVE_INFINITY, shut: false }
  for (const { per, points, times, over } of caps) {
    const then = given.filter((one) => samePeriod(w, per, one.at, at))
    const often = new Set(then.map((one) => one.source)).size >= (times ?? Number.POSITIVE_INFINITY)
    const left = often ? 0 : Math.max(0, (points ?? Number.POSITIVE_INFINITY) - sum(then.map((one) => one.points)))
    const how = over === 'refuse' ? 'whole' : 'part'
    room[how] = Math.min(room[how], left)
  }
  return room
}

function budgetLeft(w: World, rule: string, { budget }: Terms, at: Instant): number {
  if (!budget) return Number.POSITIVE_INFINITY
  const { per = 'lifetime', points = Number.POSITIVE_INFINITY, money, pointCost } = budget
  const bought = money !== undefined && pointCost ? Math.floor((money * pointCost.points) / pointCost.money) : points
  const all = [...w.members.values()].flatMap((member) => member.given)
  const spent = all.filter((one) => one.rule === rule && one.budget === per && samePeriod(w, per, one.at, at))
  return Math.max(0, Math.min(points, bought) - sum(spent.map((one) => one.points)))
}

function samePeriod(w: World, per: Per, a: Instant, b: Instant): boolean {
  return periodOf(per, a, w.setup.timezone) === periodOf(per, b, w.setup.timezone)
}

function tooClose(w: World, a: Instant, b: Instant, cooldown: string | undefined): boolean {
  return cooldown !== undefined && Math.max(a, b) < later(Math.min(a, b), cooldown, w.setup.timezone)
}
