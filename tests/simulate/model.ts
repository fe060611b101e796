import type { Instant } from '../../contract/instants.ts'
import type { LotExpiry, Pending } from '../../contract/wallets.ts'
import type { OpenLot } from './driver.ts'
import { beginOf, endByInactivity, endOfPoints, endOnceBegun, later } from './calendar.ts'
import { nextOfTiers, timeOfTiers } from './tiers.ts'
import { FAR, type Hold, type Lot, type Member, type Movement, settingsOf, sum, type World } from './world.ts'

/** What lots, time and movements mean in the world of the model. */

/** What is left of lots that have not ended, oldest first. */
export function openLots(w: World, member: Member): OpenLot[] {
  const open = member.lots.filter((lot) => lot.left > 0 && (endOf(w, member, lot) ?? Number.POSITIVE_INFINITY) > w.now)
  return open.map((lot) => {
    const { wallet, left, from } = lot
    return { wallet, left, from: from === FAR ? null : from, until: endOf(w, member, lot) }
  })
}

/** From this instant on the lot is no longer there. */
export function endOf(w: World, member: Member, lot: Lot): Instant | null {
  const seen = member.seen.get(lot.wallet)
  if (lot.over !== null) return lot.over
  if (lot.until !== null || seen === undefined) return lot.until
  return endByInactivity(settingsOf(w, lot.wallet).expiry, seen, w.setup.timezone)
}

/** Everything that begins, ends or lapses up to now happens, at its instant and in its order, whoever looks or does not. `back`: holds let go of now. */
export function passTime(w: World, ...back: Hold[]): void {
  const { now } = w
  const instants = instantsUntil(w, now)
  for (;;) {
    const turn = nextOfTiers(w, w.passed, now)
    const at = Math.min(instants[0] ?? now, turn ?? now)
    if (at === now && turn !== now) break
    if (instants[0] === at) instants.shift()
    w.now = at
    happen(w)
    if (turn === at) timeOfTiers(w)
    w.passed = at
  }
  w.now = now
  happen(w, back)
  w.passed = now
}

function instantsUntil(w: World, now: Instant): Instant[] {
  const found = [...w.holds.values()].filter((hold) => hold.status === 'open').map((hold) => hold.deadline)
  for (const member of w.members.values()) {
    for (const lot of member.lots) if (lot.left > 0) found.push(endOf(w, member, lot) ?? now)
  }
  return [...new Set(found.filter((at) => at > w.passed && at < now))].sort((a, b) => a - b)
}

/** What never began goes back, as far as it has paid nothing. */
export function giveUp(member: Member, lot: Lot): void {
  const points = lot.left - lot.held
  lot.cancelled = true
  lot.givenUp += points
  lot.left = lot.held
  member.journal.push({ what: 'reversed', wallet: lot.wallet, points })
}

/** Holds whose deadline has come lapse, and whatever is over by now expires; what is held stays until it is let go. */
function happen(w: World, lapsed: Hold[] = []): void {
  for (const hold of w.holds.values()) {
    if (hold.status !== 'open' || hold.deadline > w.now) continue
    hold.status = 'lapsed'
    letGo(hold)
    lapsed.push(hold)
  }
  for (const member of w.members.values()) {
    for (const lot of member.lots) {
      if (lot.left === 0) lot.over = null // whatever comes back to it lives as in any other lot
      if (lot.left === 0 || !hasEnded(w, member, lot)) continue
      lot.over = lot.held > 0 ? endOf(w, member, lot) : null // nothing brings back what a hold keeps past its end
      const over = lot.left - lot.held
      if (over === 0) continue
      if (lot.waits) giveUp(member, lot)
      else {
        member.journal.push({ what: 'expired', wallet: lot.wallet, points: over })
        lot.expired.push({ points: over, again: false })
        lot.left -= over
      }
    }
    forget(w, member)
  }
  for (const hold of lapsed) letBack(w, hold) // before what is owed: that waits for what comes later
  for (const member of w.members.values()) {
    for (const wallet of w.wallets.keys()) {
      const own = member.lots.filter((lot) => lot.wallet === wallet && !hasEnded(w, member, lot))
      payDebts(member, wallet, own)
    }
  }
}

/** What is let go of a hold is taken, as far as a return let off what the hold kept from it. */
function letBack(w: World, hold: Hold): void {
  for (const { wallet, lots } of hold.parts) {
    const live = lots.map(({ lot }) => lot).filter((lot) => !hasEnded(w, hold.member, lot))
    makeGood(hold.member, wallet, live, hold.n)
  }
}

/** Of what was let off after `n`, as much as these lots have. */
export function makeGood(member: Member, wallet: string, lots: readonly Lot[], n: number): void {
  for (const one of member.letOff) {
    if (one.wallet !== wallet || one.n < n || one.points === 0) continue
    const missing = take(lots, one.points)
    if (missing < one.points) member.journal.push({ what: 'reversed', wallet, points: one.points - missing })
    one.points = missing
  }
}

export function hasEnded(w: World, member: Member, lot: Lot): boolean {
  return (endOf(w, member, lot) ?? Number.POSITIVE_INFINITY) <= w.now
}

/** What a hold set aside can be spent again. */
export function letGo(hold: Hold): void {
  for (const { lot, points } of hold.parts.flatMap((part) => part.lots)) lot.held -= points
}

/** What is owed is paid as soon as there is something to pay with: from these lots, in this order. */
export function payDebts(member: Member, wallet: string, lots: readonly Lot[]): void {
  const debt = member.debts.get(wallet) ?? 0
  if (debt > 0) member.debts.set(wallet, take(lots, debt))
}

/** Where all had ended by inactivity, what comes again lives as long as after an activity now. */
export function restart(w: World, member: Member, wallet: string): void {
  if (settingsOf(w, wallet).expiry.kind === 'sliding' && !member.seen.has(wallet)) member.seen.set(wallet, w.now)
}

/** Who was away for so long starts anew: what is given later does not end before the next activity. */
function forget(w: World, member: Member): void {
  for (const [wallet, last] of member.seen) {
    const end = endByInactivity(settingsOf(w, wallet).expiry, last, w.setup.timezone)
    if (end !== null && end <= w.now) member.seen.delete(wallet)
  }
}

/** From when and until when points can be spent that are given for something of then; a rule may say its own. */
export function datesOf(
  w: World,
  wallet: string,
  occurredAt: Instant,
  terms: { pending?: Pending; expiry?: LotExpiry } = {},
): Dates {
  const { pending, expiry } = { ...settingsOf(w, wallet), ...terms }
  const { timezone } = w.setup
  if (pending.kind === 'event') {
    const { activity, cancelAfter } = pending
    const until = later(occurredAt, cancelAfter, timezone)
    return { from: FAR, until, waits: { activity, expiry, occurredAt } }
  }
  return {
    from: beginOf(pending, occurredAt, w.now, timezone),
    until: endOfPoints(expiry, pending, occurredAt, timezone),
  }
}

/** An activity has come: whatever the member has that waits for it begins, in lots of their own. */
export function beginAll(w: World, member: Member, activity: string): void {
  for (const lot of member.lots.filter(({ waits, left }) => waits?.activity === activity && left > 0)) {
    lot.begun = true
    goOn(w, member, lot, begun(w, lot))
  }
}

/** The dates of a lot that begins now. */
export function begun(w: World, { waits, until }: Lot): Dates {
  if (!waits) return { from: w.now, until }
  return { from: w.now, until: endOnceBegun(waits.expiry, w.now, waits.occurredAt, w.setup.timezone) }
}

type Dates = Pick<Lot, 'from' | 'until' | 'waits'>
type NewLot = Pick<Lot, 'wallet' | 'points' | 'source'> & Dates

/** Gives points in a new lot. What is owed in that wallet is paid from it at once. */
export function give(w: World, member: Member, lot: NewLot, what: Movement['what']): void {
  member.journal.push({ what, wallet: lot.wallet, points: lot.points })
  if (what === 'earned') seen(w, member, lot.wallet, 'earn')
  openLot(w, member, lot)
}

export function openLot(w: World, member: Member, lot: NewLot, pays = true): Lot {
  const open: Lot = {
    ...lot,
    n: ++w.counter,
    left: lot.points,
    held: 0,
    expired: [],
    wentOn: [],
    begun: false,
    over: null,
    wasHeld: false,
    graced: false,
    cancelled: false,
    givenUp: 0,
  }
  member.lots.push(open)
  if (pays) payDebts(member, lot.wallet, [open])
  return open
}

/** What is left of a lot goes on under other dates, as a lot of its own; what is held stays as it is. */
export function goOn(w: World, member: Member, lot: Lot, dates: Dates): Lot {
  const { wallet, source } = lot
  const points = lot.left - lot.held
  lot.left -= points
  return openLot(w, member, { wallet, points, source, ...dates, from: Math.max(dates.from, w.now) })
}

/** What is not held of a lot goes on as another member's, with its dates and source. */
export function moveOn(w: World, from: Member, to: Member, lot: Lot, pays = true): Lot {
  const { wallet, source, until, waits } = lot
  const points = lot.left - lot.held
  lot.left -= points
  from.journal.push({ what: 'moved', wallet, points: -points })
  to.journal.push({ what: 'moved', wallet, points })
  return openLot(w, to, { wallet, points, source, from: Math.max(lot.from, w.now), until, waits }, pays)
}

/** An activity that may keep the points of a wallet from expiring. */
export function seen(w: World, member: Member, wallet: string, activity: string): void {
  const { expiry } = settingsOf(w, wallet)
  if (expiry.kind === 'sliding' && (expiry.on ?? ['earn', 'spend']).includes(activity)) member.seen.set(wallet, w.now)
}

/** Soonest expiry, then earliest activation, then the older lot. */
export function burnOrder(w: World, member: Member): (a: Lot, b: Lot) => number {
  return (a, b) => {
    const [ends, other] = [endOf(w, member, a), endOf(w, member, b)]
    if (ends !== other) return ends === null ? 1 : other === null ? -1 : ends - other
    return a.from === b.from ? a.n - b.n : a.from - b.from
  }
}

/** Takes from these lots in this order; gives what it could not find. */
export function take(
  lots: readonly Lot[],
  points: number,
  taken: (lot: Lot, points: number) => void = () => {},
): number {
  let wanted = points
  for (const lot of lots) {
    const n = Math.min(wanted, lot.left - lot.held)
    if (n === 0) continue
    lot.left -= n
    wanted -= n
    taken(lot, n)
  }
  return wanted
}

export const available = (w: World, member: Member, wallet: string): number =>
  sum(spendable(w, member, wallet).map((lot) => lot.left - lot.held))

/** What can be spent, in the order in which it is. */
export function spendable(w: World, member: Member, wallet: string): Lot[] {
  return member.lots
    .filter((lot) => lot.wallet === wallet && lot.left > lot.held && lot.from <= w.now)
    .sort(burnOrder(w, member))
}
