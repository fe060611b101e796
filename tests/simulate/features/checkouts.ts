import type { PayAsked } from '../../../contract/checkouts.ts'
import { decodeId } from '../../../contract/ids.ts'
import { DAY, type Instant, MINUTE } from '../../../contract/instants.ts'
import { type Checkout, paidWith, statusNow } from '../checkouts.ts'
import { type Expected, feature, type Known } from '../feature.ts'
import { goesByDays } from '../ladders.ts'
import { available, letGo, passTime, seen } from '../model.ts'
import { quoted, type Till } from '../vouchers.ts'
import { find, type Hold, type Member, sum, type World } from '../world.ts'
import type { Random } from '../random.ts'
import { setAside, spendHeld } from './holds.ts'
import { lineOf, record } from './purchase.ts'
import { codesOf, isForOneLine, orderOf, refusesOrder, whoseOf } from './till.ts'

type Said = Omit<Till, 'session' | 'member'> & {
  externalId: string
  member: string
  points: Record<string, PayAsked>
  minutes: number
}

/** An order is about to be paid: what vouchers take off it and what points pay is set aside for a while. */
export const reserve = feature<Said>({
  do: 'reserve',
  weight: 8,

  generate(r, w, n) {
    if (w.members.size === 0) return undefined
    if (r.chance(0.08) && w.checkouts.size > 0) {
      const before = JSON.parse(r.pick([...w.checkouts.values()]).content) as Said
      return r.chance(0.7) ? before : { ...before, minutes: before.minutes + 1 }
    }
    const codes = r.chance(0.5) && w.vouchers.size > 0 ? codesOf(r, w) : []
    const member = whoseOf(r, w, codes)
    const points = payOf(r, w, member)
    const isOne = Object.keys(points).length > 0 || codes.length > 0
    return {
      externalId: nameOf(r, w, n),
      member,
      codes,
      lines: Array.from({ length: isOne || isForOneLine(w, codes) ? 1 : r.int(1, 3) }, (_, i) => lineOf(r, i)),
      policy: r.chance(0.5) ? 'all' : 'partial',
      sequence: r.chance(0.5) ? 'asked' : 'priority',
      points,
      minutes: r.int(1, 60),
    }
  },

  model(w, said) {
    const member = find(w, said.member)
    const before = w.checkouts.get(said.externalId)
    if (w.closed.has(said.externalId)) return { code: 'checkout_closed' }
    if (before) {
      if (!member) return { code: 'member_unknown' }
      const isSame = before.content === contentOf(said, before) && find(w, before.member.name) === member
      return isSame ? { code: 'repeat', told: toldOf(w, before) } : { code: 'external_id_conflict' }
    }
    const till = { ...said, session: `checkout ${said.externalId}` }
    const no = refusesOrder(w, till)
    if (no || !member) return { code: no ?? 'member_unknown' }
    if (w.purchases.has(said.externalId)) return { code: 'external_id_conflict' }
    const found = quoted(w, till)
    if (typeof found === 'string') return { code: found }
    if (found.parts.length > 0 && w.used.has(said.externalId)) return { code: 'external_id_conflict' }
    const paid = paidWith(w, member, found.totals, said.points)
    if (typeof paid === 'string') return { code: paid }
    const one = placed(w, said, member, found, paid)
    for (const { voucher, amount } of one.parts)
      voucher.locks.push({ session: till.session, member, until: one.deadline, amount })
    return { code: 'ok', told: toldOf(w, one) }
  },

  ask: ({ externalId, points, minutes, ...till }, known) => ({
    verb: 'reserve',
    ...orderOf(till, known),
    member: `external:${till.member}`,
    externalId,
    points,
    minutes,
  }),
})

function placed(
  w: World,
  said: Said,
  member: Member,
  { parts, totals }: Exclude<ReturnType<typeof quoted>, string>,
  paid: Exclude<ReturnType<typeof paidWith>, string>,
): Checkout {
  const { externalId: name, lines } = said
  const deadline = w.now + said.minutes * MINUTE
  const points = sum(paid.map((one) => one.amount))
  const net = totals.discount + points
  const one: Checkout = {
    name,
    content: JSON.stringify(asSaid(said)),
    member,
    deadline,
    status: 'reserved',
    parts,
    totals: { ...totals, points, toPay: totals.toPay - points },
    hold: undefined,
    lines: net === 0 ? lines : lines.map((line) => ({ ...line, amount: line.amount - net })), // of one line then
  }
  if (paid.length > 0) {
    const set = paid.map((part) => ({ wallet: part.wallet, points: part.points, lots: setAside(w, member, part) }))
    const held = { n: ++w.counter, name: `hold of ${name}`, member, content: '', deadline }
    one.hold = { ...held, status: 'open', parts: set, captured: [] }
    w.holds.set(one.hold.name, one.hold)
  }
  w.checkouts.set(name, one)
  return one
}

const toldOf = (w: World, one: Checkout) => ({ status: statusNow(w, one), totals: one.totals })
const asSaid = ({ externalId, member, codes, lines, policy, sequence, points, minutes }: Said): Said => {
  return { externalId, member, codes, lines, policy, sequence, points, minutes }
}
/** By whatever name the member is called now. */
const contentOf = (said: Said, { content }: Checkout): string =>
  JSON.stringify({ ...asSaid(said), member: (JSON.parse(content) as Said).member })

type Settled = { checkout: string; codes: string[] }

/** It is paid: points are spent, vouchers used, and the purchase is recorded, all of it or nothing. */
export const commit = feature<Settled & { paidAt?: Instant }>({
  do: 'commit',
  weight: 50,
  generate(r, w) {
    const one = some(r, w)
    return one && { ...one, ...(r.chance(0.1) && !goesByDays(w) ? { paidAt: w.now - r.int(0, DAY) } : {}) }
  },

  model(w, { checkout: name, paidAt }): Expected {
    const one = w.checkouts.get(name)
    if (!one) return { code: 'checkout_unknown' }
    const { member, parts, totals, hold } = one
    const whose = member.name
    if (one.status === 'committed') return { code: 'repeat', told: toldOf(w, one), whose }
    if (statusNow(w, one) !== 'reserved') return { code: 'checkout_closed' }
    if (member.mergedInto) return { code: 'member_merged' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (w.purchases.has(name)) return { code: 'external_id_conflict' }
    if (w.paused) return { code: 'program_paused' }
    if (hold && hold.status !== 'open') return { code: 'checkout_closed' }
    if (parts.some(({ voucher }) => voucher.blocked)) return { code: 'checkout_closed' }
    if (hold) pay(w, hold)
    const said = { externalId: name, member: whose, occurredAt: paidAt ?? w.now, currency: 'GBP', items: one.lines }
    record(w, said)
    one.status = 'committed'
    free(w, one)
    if (parts.length > 0)
      w.used.set(name, { content: one.content, ofCheckout: true, member, parts, totals, rollBacks: new Map() })
    return { code: 'repeat', told: toldOf(w, one), whose }
  },

  ask: (said, known) => ({ verb: 'commitCheckout', ...settledBy(said, known), paidAt: said.paidAt }),
})

function pay(w: World, hold: Hold): void {
  letGo(hold)
  hold.status = 'captured'
  hold.captured = hold.parts.map((part) => part.points)
  for (const { wallet, lots, points } of hold.parts) spendHeld(hold.member, wallet, lots, points)
  passTime(w)
  for (const { wallet } of hold.parts) seen(w, hold.member, wallet, 'spend')
}

function free(w: World, { name }: Checkout): void {
  for (const one of w.vouchers.values()) one.locks = one.locks.filter((lock) => lock.session !== `checkout ${name}`)
}

/** It is not paid: all of it is free again. Of an order that nobody knows, its name is closed. */
export const voids = feature<Settled>({
  do: 'void',
  weight: 8,
  generate: (r, w, n) => (r.chance(0.03) ? { checkout: `c-${n}`, codes: [] } : some(r, w)),

  model(w, { checkout: name }): Expected {
    const one = w.checkouts.get(name)
    if (!one) {
      w.closed.add(name)
      return { code: 'accepted' }
    }
    const whose = one.member.name
    if (one.status === 'committed') return { code: 'checkout_closed', whose }
    if (one.status === 'reserved') {
      one.status = 'voided'
      free(w, one)
      if (one.hold?.status === 'open') {
        one.hold.status = 'released'
        letGo(one.hold)
        passTime(w, one.hold)
      }
    }
    return { code: 'repeat', told: toldOf(w, one), whose }
  },

  ask: (said, known) =>
    known.made(said.checkout)
      ? { verb: 'voidCheckout', ...settledBy(said, known) }
      : { verb: 'voidUnknown', externalId: said.checkout },
})

function some(r: Random, w: World): Settled | undefined {
  const latest = [...w.checkouts.values()].slice(-12)
  const open = latest.filter((one) => statusNow(w, one) === 'reserved')
  if (latest.length === 0 || (open.length === 0 && r.chance(0.95))) return undefined
  const one = r.pick(open.length > 0 && r.chance(0.85) ? open : latest)
  const { codes } = JSON.parse(one.content) as Said
  return { checkout: one.name, codes: one.parts.length === 0 ? [] : codes }
}

function nameOf(r: Random, w: World, n: number): string {
  const taken = [...w.purchases.keys(), ...w.closed, ...w.used.keys()]
  return r.chance(0.03) && taken.length > 0 ? r.pick(taken) : `c-${n}`
}

function payOf(r: Random, w: World, name: string): Record<string, PayAsked> {
  const member = find(w, name) as Member
  const wallets = [...w.wallets.keys()].filter((wallet) => w.wallets.get(wallet)?.pays || r.chance(0.02))
  const some = r.chance(0.3) ? [] : r.chance(0.5) ? wallets : wallets.slice(0, 1)
  const much = (wallet: string): PayAsked =>
    r.chance(0.4) ? 'max' : r.int(1, Math.max(1, available(w, member, wallet) + (r.chance(0.1) ? 1 : 0)))
  return Object.fromEntries(some.map((wallet) => [wallet, much(wallet)]))
}

const NOBODY = 'mem_00000000000000000000000000'
const NOTHING = '00000000-0000-7000-8000-000000000000'

function settledBy({ checkout, codes }: Settled, known: Known) {
  const made = known.made(checkout)
  return {
    member: made?.member ?? NOBODY,
    checkout: decodeId('chk', made?.id ?? '') ?? NOTHING,
    programId: 1,
    externalId: checkout,
    codes: codes.map(known.code),
  }
}
