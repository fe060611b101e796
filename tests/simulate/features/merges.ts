import { DAY } from '../../../contract/instants.ts'
import { type Expected, feature } from '../feature.ts'
import { burnOrder, give, hasEnded, moveOn, payDebts } from '../model.ts'
import { beginAnew, climbOf, inheritTiers } from '../tiers.ts'
import { find, type Member, type Merge, type World } from '../world.ts'
import type { Random } from '../random.ts'

type Said = { member: string; from: string }
const UNDONE_WITHIN = 30 * DAY

/** Two members turn out to be one person: what one of them holds, at its age, and what it owes is the other's. */
export const merge = feature<Said>({
  do: 'merge',
  weight: 2,

  generate(r, w) {
    const members = [...w.members.values()]
    if (members.length < 2 || hasOwnWindows(w)) return undefined
    if (r.chance(0.1)) return { member: r.pick(members).name, from: r.pick(members).name }
    const apart = members.filter((member) => !member.mergedInto)
    if (apart.length < 3) return undefined
    const from = r.pick(apart)
    return { member: r.pick(apart.filter((other) => other !== from)).name, from: from.name }
  },

  model(w, { member: name, from: other }) {
    const into = find(w, name)
    const from = w.members.get(other)
    if (!into || !from) return { code: 'member_unknown' }
    if (into === from) return { code: 'same_member' }
    if (from.mergedInto) return { code: from.mergedInto === into ? 'repeat' : 'member_merged' }
    if ([...w.holds.values()].some((hold) => hold.status === 'open' && hold.member === from))
      return { code: 'holds_open' }
    const owed = [into, from].some((each) => owes(each))
    const one: Merge = {
      into,
      from,
      at: w.now,
      n: ++w.counter,
      owed,
      undoneAt: null,
      brought: new Set(),
      letOff: from.letOff,
    }
    for (const wallet of w.wallets.keys()) bring(w, one, wallet)
    into.letOff = [...into.letOff, ...from.letOff].sort((a, b) => a.n - b.n)
    from.letOff = []
    inheritTiers(w, into, from)
    from.mergedInto = into
    w.merges.push(one)
    return { code: 'ok' }
  },

  ask: ({ member, from }) => ({
    verb: 'merge',
    member: `external:${member}`,
    from: `external:${from}`,
    reason: 'the same person',
  }),
})

/** Where windows are each member's own it is not said anywhere what two of them come to together. */
const hasOwnWindows = (w: World): boolean =>
  [...w.ladders.values()].some(({ window: { kind } }) => kind !== 'lifetime' && kind !== 'calendar')

function bring(w: World, { into, from, brought }: Merge, wallet: string): void {
  asOne(from, into, wallet)
  for (const lot of from.lots) {
    if (lot.wallet !== wallet || lot.left === 0) continue
    brought.add(`${wallet} ${lot.source}`)
    moveOn(w, from, into, lot)
  }
  const debt = from.debts.get(wallet) ?? 0
  if (debt === 0) return
  give(w, from, { wallet, points: debt, source: 'paid by another', from: w.now, until: null }, 'moved')
  into.journal.push({ what: 'moved', wallet, points: -debt })
  into.debts.set(wallet, (into.debts.get(wallet) ?? 0) + debt)
  const lots = into.lots.filter((lot) => lot.wallet === wallet && !hasEnded(w, into, lot))
  payDebts(into, wallet, lots.sort(burnOrder(w, into)))
}

/** Where points end by inactivity: what either did last counts for the one that gets them. */
function asOne(from: Member, to: Member, wallet: string): void {
  const last = Math.max(from.seen.get(wallet) ?? 0, to.seen.get(wallet) ?? 0)
  if (last > 0) to.seen.set(wallet, last)
}

/** It was a mistake: what is left of the lots that came along goes back. */
export const unmerge = feature<Said>({
  do: 'unmerge',
  weight: 1.5,

  generate(r, w) {
    const one = aMerge(r, w)
    if (!one) return undefined
    const stranger = r.chance(0.05) ? r.pick([...w.members.keys()]) : one.into.name
    return { member: stranger, from: one.from.name }
  },

  model(w, { member: name, from: other }): Expected {
    const into = find(w, name)
    const from = w.members.get(other)
    if (!into || !from) return { code: 'member_unknown' }
    const one = w.merges.findLast((merge) => merge.into === into && merge.from === from)
    if (one && one.undoneAt !== null && !from.mergedInto) return { code: 'repeat' }
    if (!one || from.mergedInto !== into || w.now - one.at > UNDONE_WITHIN) return { code: 'merge_over' }
    const open = [...w.holds.values()].filter((hold) => hold.status === 'open' && hold.member === into)
    const held = open.flatMap((hold) => hold.parts.flatMap((part) => part.lots))
    if (held.some(({ lot }) => one.brought.has(`${lot.wallet} ${lot.source}`))) return { code: 'holds_open' }
    for (const wallet of w.wallets.keys()) {
      const left = into.lots.filter((lot) => lot.wallet === wallet && lot.left > lot.held)
      const back = left.filter((lot) => one.brought.has(`${wallet} ${lot.source}`))
      if (back.length > 0) asOne(into, from, wallet)
      for (const lot of back) moveOn(w, into, from, lot)
    }
    from.letOff = one.letOff
    into.letOff = into.letOff.filter((each) => !one.letOff.includes(each))
    from.mergedInto = undefined
    one.undoneAt = w.now
    for (const ladder of w.ladders.values())
      for (const member of [into, from]) beginAnew(w, member, ladder, climbOf(w, member, ladder))
    return { code: 'repeat' } // a change of what is there already: 200, as for a repeat
  },

  ask: ({ member, from }) => ({
    verb: 'unmerge',
    member: `external:${member}`,
    from: `external:${from}`,
    reason: 'mother and daughter',
  }),
})

const owes = (member: Member): boolean => [...member.debts.values()].some((debt) => debt > 0)

/** Nothing was owed, nor let off since: who owes what then is not played (merges-make-nothing.test.ts does). */
function isPlain({ into, n, owed, mixed }: Merge): boolean {
  return !owed && !mixed && !owes(into) && into.letOff.every((one) => one.n < n || one.points === 0)
}

function aMerge(r: Random, w: World): Merge | undefined {
  const open = w.merges.filter((one) => one.undoneAt === null && isPlain(one))
  if (open.length > 0 && r.chance(0.9)) return r.pick(open.slice(-4))
  const done = w.merges.filter((one) => one.undoneAt !== null)
  return done.length > 0 && r.chance(0.2) ? r.pick(done) : undefined
}
