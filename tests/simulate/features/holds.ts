import { MINUTE } from '../../../contract/instants.ts'
import { decodeId } from '../../../contract/ids.ts'
import { feature, type Known } from '../feature.ts'
import { available, letGo, passTime, seen, spendable } from '../model.ts'
import { find, type Hold, living, type Member, type World } from '../world.ts'
import type { Random } from '../random.ts'

type Placed = { externalId: string; member: string; wallets: { wallet: string; points: number }[]; minutes: number }
type Ended = { hold: string }
type Captured = Ended & { points?: number }

/** Points are set aside until a deadline, in one wallet or in both. */
export const hold = feature<Placed>({
  do: 'hold',
  weight: 6,

  generate(r, w, n) {
    if (w.members.size === 0) return undefined
    const before = [...w.holds.values()].filter((one) => one.content !== '') // those of checkouts have no name of their own
    if (r.chance(0.05) && before.length > 0) return again(r, before)
    const member = r.pick([...w.members.values()])
    const wallets = [...w.wallets.keys()].filter(() => r.chance(0.7))
    if (wallets.length === 0) return undefined
    const points = (wallet: string) => r.int(1, Math.max(1, available(w, member, wallet) + (r.chance(0.1) ? 1 : 0)))
    const parts = wallets.map((wallet) => ({ wallet, points: points(wallet) }))
    return {
      externalId: `h-${n}`,
      member: member.name,
      wallets: parts,
      minutes: r.int(1, r.pick([15, 600, 40_000, 40_000])),
    }
  },

  model(w, { externalId, member: name, wallets, minutes }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    const content = JSON.stringify([wallets, minutes])
    const before = w.holds.get(externalId)
    if (before) {
      const same = before.content === content && living(before.member) === member
      return { code: same ? 'repeat' : 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (wallets.some(({ wallet, points }) => available(w, member, wallet) < points))
      return { code: 'insufficient_points' }
    const parts = wallets.map((part) => ({ ...part, lots: setAside(w, member, part) }))
    const deadline = w.now + minutes * MINUTE
    const n = ++w.counter
    w.holds.set(externalId, { n, name: externalId, member, content, deadline, status: 'open', parts, captured: [] })
    return { code: 'ok' }
  },

  ask: ({ externalId, member, wallets, minutes }) => ({
    verb: 'hold',
    member: `external:${member}`,
    wallets,
    minutes,
    reason: 'a checkout',
    externalId,
  }),
})

function again(r: Random, holds: readonly Hold[]): Placed {
  const before = r.pick(holds)
  const [wallets, minutes] = JSON.parse(before.content)
  return { externalId: before.name, member: before.member.name, wallets, minutes: minutes + (r.chance(0.8) ? 0 : 1) }
}

export function setAside(
  w: World,
  member: Member,
  part: { wallet: string; points: number },
): Hold['parts'][number]['lots'] {
  const lots: Hold['parts'][number]['lots'] = []
  let wanted = part.points
  for (const lot of spendable(w, member, part.wallet)) {
    const points = Math.min(wanted, lot.left - lot.held)
    if (points === 0) continue
    lot.held += points
    lot.wasHeld = true
    wanted -= points
    lots.push({ lot, points })
  }
  return lots
}

/** What was set aside is spent, though it may have expired since; what was not needed of it is let go. */
export const capture = feature<Captured>({
  do: 'capture',
  weight: 6,

  generate(r, w) {
    const one = aHold(r, w)
    if (!one) return undefined
    const [part, another] = one.parts
    const some = part && !another && r.chance(0.5) ? { points: r.int(1, part.points + (r.chance(0.1) ? 1 : 0)) } : {}
    return { hold: one.name, ...(r.chance(0.02) ? { points: 1 } : some) }
  },

  model(w, { hold: name, points }) {
    const one = w.holds.get(name)
    if (!one) return { code: 'hold_unknown' }
    const wrong = points === undefined ? undefined : wrongAmount(one, points)
    const amounts = one.parts.map((part) => points ?? part.points)
    if (one.status === 'captured') {
      return { code: !wrong && amounts.join() === one.captured.join() ? 'repeat' : 'hold_over' }
    }
    if (one.status !== 'open') return { code: 'hold_over' }
    if (wrong) return { code: wrong }
    if (w.paused) return { code: 'program_paused' }
    if (one.member.status !== 'active') return { code: 'member_suspended' }
    letGo(one)
    one.status = 'captured'
    one.captured = amounts
    for (const [i, { wallet, lots }] of one.parts.entries()) {
      const points = amounts[i] ?? 0
      const taken = spendHeld(one.member, wallet, lots, points)
      const said = { member: one.member.name, wallet, points, externalId: '' }
      w.spends.set(`${name} ${wallet}`, { n: one.n, said, member: one.member, wallet, lots: taken })
    }
    passTime(w, one) // what was not needed and has ended does not live on by this spending
    for (const { wallet } of one.parts) seen(w, one.member, wallet, 'spend')
    return { code: 'repeat' } // a change of what is there already: 200, as for a repeat
  },

  ask: ({ hold: name, points }, known) => ({
    verb: 'capture',
    ...idOf(name, known),
    ...(points === undefined ? {} : { points }),
  }),
})

function wrongAmount(one: Hold, points: number): string | undefined {
  if (one.parts.length > 1) return 'invalid_request'
  return points > (one.parts[0]?.points ?? 0) ? 'insufficient_points' : undefined
}

export function spendHeld(
  member: Member,
  wallet: string,
  lots: Hold['parts'][number]['lots'],
  points: number,
): typeof lots {
  let wanted = points
  const taken: typeof lots = []
  for (const { lot, points: held } of lots) {
    const n = Math.min(held, wanted)
    lot.left -= n
    wanted -= n
    if (n > 0) taken.push({ lot, points: n })
  }
  member.journal.push({ what: 'spent', wallet, points })
  return taken
}

/** What was set aside is let go; what has ended meanwhile expires. */
export const release = feature<Ended>({
  do: 'release',
  weight: 2,
  generate(r, w) {
    const one = aHold(r, w)
    return one && { hold: one.name }
  },
  model(w, { hold: name }) {
    const one = w.holds.get(name)
    if (!one) return { code: 'hold_unknown' }
    if (one.status === 'captured') return { code: 'hold_over' }
    if (one.status === 'open') {
      one.status = 'released'
      letGo(one)
      passTime(w, one)
    }
    return { code: 'repeat' }
  },
  ask: ({ hold: name }, known) => ({ verb: 'release', ...idOf(name, known) }),
})

function aHold(r: Random, w: World): Hold | undefined {
  const open = [...w.holds.values()].filter((one) => one.status === 'open')
  if (open.length > 0 && r.chance(0.9)) return r.pick(open)
  return w.holds.size > 0 && r.chance(0.3) ? r.pick([...w.holds.values()]) : undefined
}

const NOBODY = 'mem_00000000000000000000000000'
const NO_HOLD = '00000000-0000-7000-8000-000000000000'

function idOf(name: string, known: Known): { member: string; hold: string } {
  const made = known.made(name)
  return { member: made?.member ?? NOBODY, hold: decodeId('hld', made?.id ?? '') ?? NO_HOLD }
}
