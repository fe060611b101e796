import type { Instant } from '../../../contract/instants.ts'
import { later } from '../calendar.ts'
import { feature } from '../feature.ts'
import { goOn, hasEnded, makeGood, moveOn, payDebts, restart } from '../model.ts'
import { find, living, mix, type Lot, type Member, settingsOf, type Spend, sum, type World } from '../world.ts'

type Said = { externalId: string; member: string; spend: string; points?: number }

/** A spend is undone, in part or whole, perhaps in several steps: the points go back to the lots that they came from. */
export const refund = feature<Said>({
  do: 'refund',
  weight: 5,

  generate(r, w, n) {
    if (r.chance(0.05) && w.refunds.size > 0) return r.pick([...w.refunds.values()]).said as Said
    if (w.spends.size === 0) return undefined
    const [name, spent] = r.pick([...w.spends].slice(-12))
    const left = sum(spent.lots.map((one) => one.points))
    const some = r.chance(0.6) ? { points: r.int(1, Math.max(1, left + (r.chance(0.1) ? 1 : 0))) } : {}
    const member = r.chance(0.03) ? r.pick([...w.members.keys()]) : spent.member.name
    return { externalId: `f-${n}`, member, spend: name, ...some }
  },

  model(w, { externalId, member: name, spend: spentAs, points }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    const spent = w.spends.get(spentAs)
    if (!spent || living(spent.member) !== member) return { code: 'entry_unknown' }
    const before = w.refunds.get(externalId)
    if (before) {
      const same = before.content === JSON.stringify([spentAs, points ?? before.points])
      return same ? { code: 'repeat', points: before.points } : { code: 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    const left = sum(spent.lots.map((one) => one.points))
    const back = points ?? left
    if (back > left || left === 0) return { code: 'refund_exceeds_spend' }
    undo(w, spent, back)
    const said = { externalId, member: name, spend: spentAs, ...(points === undefined ? {} : { points }) }
    w.refunds.set(externalId, { said, content: JSON.stringify([spentAs, back]), points: back })
    return { code: 'ok', points: back }
  },

  ask: ({ externalId, member, spend, points }, known) => ({
    verb: 'refund',
    member: `external:${member}`,
    spend: (spend.includes(' ') ? known.made(spend)?.id : undefined) ?? `external:${spend}`,
    reason: 'brought back',
    externalId,
    ...(points === undefined ? {} : { points }),
  }),
})

/** Points go back to whose they were, and on to whom that one lives on as. */
function undo(w: World, spent: Spend, points: number): void {
  giveBack(w, spent.member, spent, points)
  sendHome(w, spent)
  const heir = living(spent.member)
  mix(w, heir)
  if (spent.member !== heir) carryOn(w, spent, heir)
}

export const refundAll = (w: World, spent: Spend): void => undo(w, spent, sum(spent.lots.map((one) => one.points)))

/** To what would have been spent last, first. What comes back too late expires, unless its lot has a grace left. */
function giveBack(w: World, member: Member, spent: Spend, points: number): void {
  const { wallet } = spent
  member.journal.push({ what: 'spent', wallet, points: -points })
  const { expiry } = settingsOf(w, wallet)
  const on = expiry.kind === 'sliding' ? (expiry.on ?? ['earn']) : []
  if (on.includes('earn') || on.includes('spend')) restart(w, member, wallet) // of others there may never have been one
  const end = (lot: Lot): Instant => lot.until ?? Number.POSITIVE_INFINITY
  const order = spent.lots.toSorted(({ lot: a }, { lot: b }) =>
    end(a) === end(b) ? b.from - a.from || b.n - a.n : end(b) - end(a),
  )
  let wanted = points
  const given: Lot[] = []
  for (const one of order) {
    const n = Math.min(wanted, one.points)
    if (n === 0) continue
    one.points -= n
    one.lot.left += n
    wanted -= n
    given.push(one.lot)
  }
  const live = given.filter((lot) => !hasEnded(w, member, lot))
  const { refundGrace } = settingsOf(w, wallet)
  const longer: Lot[] = []
  for (const lot of given) {
    if (refundGrace === null || lot.graced || !hasEnded(w, member, lot) || lot.left === lot.held) continue
    lot.graced = true
    const one = goOn(w, member, lot, { from: w.now, until: later(w.now, refundGrace, w.setup.timezone) })
    one.graced = true
    longer.push(one)
  }
  const own = [...live, ...longer]
  makeGood(member, wallet, own, spent.n) // before what is owed: that waits for what comes later
  payDebts(member, wallet, own)
}

/** What had come along by a merge that was undone since goes on to whose it is. */
function sendHome(w: World, { n, member, wallet }: Spend): void {
  const back = member.lots.filter((one) => one.wallet === wallet && one.left > one.held && !hasEnded(w, member, one))
  for (const [owner, lots] of Map.groupBy(back, (lot) => ownerOf(w, member, lot)))
    if (living(owner) !== living(member)) {
      const came = lots.map((lot) => moveOn(w, member, living(owner), lot, false))
      makeGood(living(owner), wallet, came, n)
      payDebts(living(owner), wallet, came)
    }
}

function ownerOf(w: World, member: Member, lot: Lot, seen: ReadonlySet<Member> = new Set()): Member {
  if (seen.has(member)) return member
  const key = `${lot.wallet} ${lot.source}`
  const undone = w.merges.filter((one) => one.into === member && one.undoneAt !== null && one.brought.has(key))
  const last = undone.toSorted((a, b) => (a.undoneAt ?? 0) - (b.undoneAt ?? 0)).at(-1)
  return last ? ownerOf(w, last.from, lot, new Set([...seen, member])) : member
}

/** What came back to a member who lives on as another goes on there, with its dates and source. */
function carryOn(w: World, { n, member, wallet }: Spend, heir: Member): void {
  const came: Lot[] = []
  for (const lot of member.lots.filter((one) => one.wallet === wallet && one.left > 0 && !hasEnded(w, member, one)))
    came.push(moveOn(w, member, heir, lot, false))
  makeGood(heir, wallet, came, n)
  payDebts(heir, wallet, came)
}
