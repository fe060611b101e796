import type { Instant } from '../../../contract/instants.ts'
import { wallOf } from '../calendar.ts'
import { feature } from '../feature.ts'
import { available, datesOf, give, spendable, take } from '../model.ts'
import {
  familyOf,
  aWallet,
  find,
  living,
  type Lot,
  type Member,
  type Sent,
  settingsOf,
  sum,
  type World,
} from '../world.ts'

type Converted = { externalId: string; member: string; from: string; to: string; points: number }

/** Points are given to another member: they end when they would have; a fee comes on top. */
export const transfer = feature<Sent>({
  do: 'transfer',
  weight: 5,

  generate(r, w, n) {
    const names = [...w.members.keys()]
    if (names.length < 2) return undefined
    if (r.chance(0.05) && w.transfers.size > 0) return r.pick([...w.transfers.values()]).said
    const [member, to, wallet] = [r.pick(names), r.pick(names), aWallet(r, w)]
    const has = available(w, find(w, member) as Member, wallet)
    return { externalId: `t-${n}`, member, to, wallet, points: r.int(1, Math.max(1, r.chance(0.5) ? has + 1 : 20)) }
  },

  model(w, said) {
    const [from, to] = [find(w, said.member), find(w, said.to)]
    if (!from || !to) return { code: 'member_unknown' }
    const before = w.transfers.get(said.externalId)
    if (before) return { code: isSame(before, said, from, to) ? 'repeat' : 'external_id_conflict' }
    if (from === to) return { code: 'same_member' }
    if (w.paused) return { code: 'program_paused' }
    if (from.status !== 'active' || to.status !== 'active') return { code: 'member_suspended' }
    const { transfers } = settingsOf(w, said.wallet)
    const { min = 0, max = Number.POSITIVE_INFINITY, perDay = Number.POSITIVE_INFINITY } = transfers ?? {}
    const sent = familyOf(w, from).flatMap((one) => one.sent)
    const today = sum(sent.filter((s) => s.wallet === said.wallet && sameDay(w, s.at)).map((s) => s.points))
    const no = !transfers || said.points < min || said.points > max || today + said.points > perDay
    if (no) return { code: 'transfer_refused' }
    const fee = Math.floor((said.points * (transfers.feePercent ?? 0)) / 100) + (transfers.feePoints ?? 0)
    if (available(w, from, said.wallet) < said.points + fee) return { code: 'insufficient_points' }
    send(w, from, to, said, fee)
    return { code: 'ok', points: said.points }
  },

  ask: ({ externalId, member, to, wallet, points }) => ({
    verb: 'transfer',
    member: `external:${member}`,
    to: `external:${to}`,
    wallet,
    points,
    reason: 'a gift',
    externalId,
  }),
})

function send(w: World, from: Member, to: Member, { externalId, member, to: name, wallet, points }: Sent, fee: number) {
  const ends = new Map<Instant | null, number>()
  const note = (lot: Lot, n: number) => ends.set(lot.until, (ends.get(lot.until) ?? 0) + n)
  take(spendable(w, from, wallet), points, note)
  take(spendable(w, from, wallet), fee)
  from.journal.push({ what: 'moved', wallet, points: -points - fee })
  from.sent.push({ wallet, points, at: w.now })
  for (const [until, n] of ends) give(w, to, { wallet, points: n, source: externalId, from: w.now, until }, 'moved')
  const said = { externalId, member, to: name, wallet, points }
  w.transfers.set(externalId, { said, from, to })
}

function sameDay(w: World, at: Instant): boolean {
  const day = (instant: Instant) => new Date(wallOf(instant, w.setup.timezone)).toISOString().slice(0, 10)
  return day(at) === day(w.now)
}

function isSame(before: { said: Sent; from: Member; to: Member }, { wallet, points }: Sent, from: Member, to: Member) {
  const { said } = before
  return said.wallet === wallet && said.points === points && living(before.from) === from && living(before.to) === to
}

/** Points of one wallet become points of the other, at the rate that is said, under the dates of the other. */
export const convert = feature<Converted>({
  do: 'convert',
  weight: 3,

  generate(r, w, n) {
    const [from, to] = r.chance(0.5) ? ['points', 'stamps'] : ['stamps', 'points']
    if (w.members.size === 0 || !from || !to) return undefined
    const member = r.pick([...w.members.values()])
    const { give: lot = 1 } = settingsOf(w, from).conversions[0] ?? {}
    const times = Math.max(1, Math.floor(available(w, member, from) / lot / r.int(1, 3)))
    return { externalId: `c-${n}`, member: member.name, from, to, points: times * lot + (r.chance(0.1) ? 1 : 0) }
  },

  model(w, { externalId, member: name, from, to, points }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    if (w.paused) return { code: 'program_paused' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    const rate = settingsOf(w, from).conversions.find((c) => c.to === to)
    if (!rate || points % rate.give !== 0) return { code: 'conversion_refused' }
    if (available(w, member, from) < points) return { code: 'insufficient_points' }
    take(spendable(w, member, from), points)
    member.journal.push({ what: 'moved', wallet: from, points: -points })
    const lot = { wallet: to, points: (points / rate.give) * rate.get, source: externalId, from: w.now }
    give(w, member, { ...lot, until: datesOf(w, to, w.now, { pending: { kind: 'none' } }).until }, 'moved')
    return { code: 'ok', points }
  },

  ask: ({ externalId, member, from, to, points }) => ({
    verb: 'convert',
    member: `external:${member}`,
    from,
    to,
    points,
    externalId,
  }),
})
