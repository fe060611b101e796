import { DAY, type Instant } from '../../../contract/instants.ts'
import { awards, remaining } from '../earning.ts'
import { type Expected, feature } from '../feature.ts'
import { burnOrder, hasEnded, openLot, payDebts, take } from '../model.ts'
import { find, living, mix, type Lot, type Member, type Purchase, settingsOf, sum, type World } from '../world.ts'
import type { Random } from '../random.ts'

export type Item = { line?: string; sku?: string; quantity: number }
type Said = { externalId: string; member: string; occurredAt: Instant; purchase?: string; items: 'all' | Item[] }

/** Goods come back: of a purchase that is named, all of it or some, or of whatever purchases hold such goods. */
export const returns = feature<Said>({
  do: 'return',
  weight: 22,

  generate(r, w, n) {
    const bought = [...w.purchases.values()]
    if (bought.length === 0) return undefined
    if (r.chance(0.03) && w.returns.size > 0) return r.pick([...w.returns.values()]).said as Said
    const purchase = r.pick(r.chance(0.5) ? bought.slice(-10) : bought)
    const said = {
      externalId: r.chance(0.01) && w.returns.size > 0 ? r.pick([...w.returns.keys()]) : `r-${n}`,
      member: purchase.member.name,
      occurredAt: r.chance(0.8) ? w.now : w.now - r.int(0, 20 * DAY),
    }
    if (r.chance(0.3)) return { ...said, items: unnamed(r, purchase) }
    const stranger = r.chance(0.02) ? r.pick([...w.members.keys()]) : undefined
    return {
      ...said,
      ...(stranger ? { member: stranger } : {}),
      purchase: purchase.name,
      items: r.chance(0.15) ? ('all' as const) : named(r, purchase),
    }
  },

  model(w, said) {
    const member = find(w, said.member)
    if (!member) return { code: 'member_unknown' }
    const { externalId, occurredAt, purchase, items } = said
    const content = JSON.stringify([occurredAt, purchase, items])
    const before = w.returns.get(said.externalId)
    if (before) {
      const same = before.content === content && living(before.member) === member
      return same ? { code: 'repeat', points: before.points } : { code: 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    const units = purchase === undefined ? matching(w, member, said) : ofNamed(w, member, said)
    if (!(units instanceof Map)) return units
    if (new Set([...units.keys()].map((bought) => bought.member)).size > 1) mix(w, member) // it may not be told apart
    let points = 0
    for (const [bought, back] of units) points += takeBack(w, bought, back)
    const again = {
      externalId,
      member: said.member,
      occurredAt,
      ...(purchase === undefined ? {} : { purchase }),
      items,
    }
    w.returns.set(externalId, { said: again, content, member, points })
    return { code: 'ok', points }
  },

  ask: ({ externalId, member, occurredAt, purchase, items }) => ({
    verb: 'return',
    program: 'coffee',
    externalId,
    member: `external:${member}`,
    occurredAt,
    items,
    ...(purchase === undefined ? {} : { purchase: `external:${purchase}` }),
  }),
})

export function named(r: Random, { lines }: Pick<Purchase, 'lines'>): Item[] {
  return Array.from({ length: r.int(1, 2) }, () => {
    const line = r.pick(lines)
    const quantity = r.int(1, r.chance(0.9) ? line.quantity : 9)
    return r.chance(0.7) ? { line: line.line, quantity } : { sku: line.sku, quantity }
  })
}

function unnamed(r: Random, { lines }: Purchase): Item[] {
  const items = Array.from({ length: r.int(1, 2) }, () => ({ sku: r.pick(lines).sku, quantity: r.int(1, 6) }))
  return r.chance(0.1) ? [...items, { sku: 'never-sold', quantity: 1 }] : items
}

/** Purchase → units a line that come back now. */
type Units = Map<Purchase, number[]>

/** Which units come back of the member's purchase that is named. */
export function ofNamed(
  w: World,
  member: Member,
  { purchase: name = '', items }: Pick<Said, 'purchase' | 'items'>,
): Units | Expected {
  const purchase = w.purchases.get(name)
  if (!purchase || living(purchase.member) !== member) return { code: 'purchase_unknown' }
  const left = purchase.lines.map((line, i) => line.quantity - (purchase.returned[i] ?? 0))
  if (items === 'all') return sum(left) > 0 ? new Map([[purchase, left]]) : { code: 'return_exceeds_purchase' }
  const back = left.map(() => 0)
  for (const item of items) {
    const missing = spread(item, purchase, left, back)
    if (missing > 0) return { code: 'return_exceeds_purchase' }
  }
  return new Map([[purchase, back]])
}

/** Most recent first, none that happened after the return. */
function matching(w: World, member: Member, { items, occurredAt }: Said): Units {
  const newest = [...w.purchases.values()]
    .filter((p) => living(p.member) === member && p.occurredAt <= occurredAt)
    .sort((a, b) => b.occurredAt - a.occurredAt || b.n - a.n)
  const units: Units = new Map()
  const lefts = new Map(newest.map((p) => [p, p.lines.map((line, i) => line.quantity - (p.returned[i] ?? 0))]))
  for (const item of items as Item[]) {
    let { quantity } = item
    for (const purchase of newest) {
      const back = units.get(purchase) ?? purchase.lines.map(() => 0)
      const missing = spread({ ...item, quantity }, purchase, lefts.get(purchase) ?? [], back)
      if (missing < quantity) units.set(purchase, back)
      quantity = missing
    }
  }
  return units
}

/** Lays the units that an item asks for on the lines that it means; how many found no place. */
export function spread(item: Item, { lines }: Pick<Purchase, 'lines'>, left: number[], back: number[]): number {
  let { quantity } = item
  for (const [i, line] of lines.entries()) {
    if (item.line === undefined ? line.sku !== item.sku : line.line !== item.line) continue
    const n = Math.min(quantity, left[i] ?? 0)
    left[i] = (left[i] ?? 0) - n
    back[i] = (back[i] ?? 0) + n
    quantity -= n
  }
  return quantity
}

function takenOf(purchase: Purchase, wallet: string) {
  const taken = purchase.taken.get(wallet) ?? { lots: [], writtenOff: 0, owed: 0, gone: 0 }
  purchase.taken.set(wallet, taken)
  return taken
}

/** Decides the purchase again on what is left of it; gives what was taken net, in the wallet `points`. */
export function takeBack(w: World, purchase: Purchase, back: number[]): number {
  purchase.returned = purchase.returned.map((n, i) => n + (back[i] ?? 0))
  const standing = awards(purchase.rules, remaining(purchase.lines, purchase.returned), purchase.rooms)
  const member = living(purchase.member)
  if (purchase.takenFrom !== member) takenBefore(purchase, member)
  let points = 0
  for (const [wallet, given] of purchase.given) {
    const stays = Math.min(given, sum(standing.filter((a) => a.wallet === wallet).map((a) => a.points)))
    const taken = takenOf(purchase, wallet)
    taken.gone = Math.min(taken.gone, endedUnused(w, purchase, wallet)) // what came again is not gone
    const more = given - stays - taken.writtenOff - taken.owed - taken.gone - sum(taken.lots.map((t) => t.points))
    const moved = more > 0 ? takeMore(w, purchase, wallet, more) : -giveBack(w, purchase, wallet, -more)
    if (moved !== 0) member.journal.push({ what: 'reversed', wallet, points: moved })
    if (wallet === 'points') points += moved
  }
  return points
}

/** What was taken from somebody else who was one with this member, or is again, would come as a lot of its own. */
function takenBefore(purchase: Purchase, member: Member): void {
  for (const taken of purchase.taken.values()) {
    taken.owed += sum(taken.lots.map((one) => one.points))
    taken.lots = []
  }
  purchase.takenFrom = member
}

/** What the purchase gave and nobody ever used: it expired and did not come again, or was given up before it began; whoever had it then. */
function endedUnused(w: World, purchase: Purchase, wallet: string): number {
  const own = [...w.members.values()].flatMap((member) => member.lots).filter((lot) => lot.source === purchase.name)
  const ended = own.filter((lot) => lot.wallet === wallet)
  return sum(ended.map((lot) => lot.givenUp + sum(lot.expired.filter((e) => !e.again).map((e) => e.points))))
}

/**
 * From the purchase's own lots first, pending ones before active ones; what of those ended unused is taken from nobody; then from the
 * others. The rest is owed, as far as the wallet may go below zero, or let go.
 */
function takeMore(w: World, purchase: Purchase, wallet: string, points: number): number {
  const member = living(purchase.member)
  const lots = member.lots.filter((lot) => lot.wallet === wallet && lot.left > lot.held).sort(burnOrder(w, member))
  const own = (lot: Lot) => lot.source === purchase.name
  const order = [
    ...lots.filter((lot) => own(lot) && w.now < lot.from),
    ...lots.filter((lot) => own(lot) && lot.from <= w.now),
  ]
  const others = lots.filter((lot) => !own(lot))
  const taken = takenOf(purchase, wallet)
  const note = (lot: Lot, n: number) => {
    const same = taken.lots.find((t) => t.lot === lot)
    if (same) same.points += n
    else taken.lots.push({ lot, points: n })
  }
  const left = take(order, points, note)
  const gone = Math.min(left, endedUnused(w, purchase, wallet) - taken.gone)
  taken.gone += gone
  const missing = take(others, left - gone, note)
  if (missing < left - gone) mix(w, member)
  const debt = member.debts.get(wallet) ?? 0
  const owed = Math.min(missing, Math.max(0, floorOf(w, wallet) - debt))
  member.debts.set(wallet, debt + owed)
  taken.owed += owed
  taken.writtenOff += missing - owed
  if (missing > owed) member.letOff.push({ n: ++w.counter, wallet, points: missing - owed })
  return points - gone - missing + owed
}

function floorOf(w: World, wallet: string): number {
  const { negative } = settingsOf(w, wallet)
  return negative.policy === 'forbid' ? 0 : negative.policy === 'floor' ? negative.floor : Number.POSITIVE_INFINITY
}

/**
 * What was let go is no longer let go; then what was owed comes as a lot of its own; the rest returns to the lots that it came
 * from, the last one first: to the others, and to the purchase's own when nothing of these is gone any more.
 */
function giveBack(w: World, purchase: Purchase, wallet: string, points: number): number {
  const taken = takenOf(purchase, wallet)
  const forgiven = Math.min(points, taken.writtenOff)
  taken.writtenOff -= forgiven
  let less = forgiven
  const member = living(purchase.member)
  for (const one of member.letOff.toReversed()) {
    if (one.wallet !== wallet) continue
    const n = Math.min(less, one.points)
    one.points -= n
    less -= n
  }
  const repaid = Math.min(points - forgiven, taken.owed)
  taken.owed -= repaid
  if (repaid > 0) {
    const source = `given back ${w.counter}`
    openLot(w, member, { wallet, points: repaid, source, from: w.now, until: null })
  }
  let left = points - forgiven - repaid
  const given: Lot[] = []
  const comesBack = (one: { lot: Lot; points: number }) => {
    const n = Math.min(left, one.points)
    one.points -= n
    one.lot.left += n
    left -= n
    if (n > 0) given.push(one.lot)
  }
  const own = (lot: Lot) => lot.source === purchase.name
  for (const one of taken.lots.toReversed()) if (!own(one.lot)) comesBack(one)
  const gone = Math.min(left, taken.gone)
  taken.gone -= gone
  left -= gone
  for (const one of taken.lots.toReversed()) if (own(one.lot)) comesBack(one)
  payDebts(
    member,
    wallet,
    given.filter((lot) => !hasEnded(w, member, lot)),
  )
  taken.lots = taken.lots.filter((t) => t.points > 0)
  return points - forgiven - gone
}
