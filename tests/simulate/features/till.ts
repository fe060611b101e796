import { MINUTE } from '../../../contract/instants.ts'
import { voucherRedemptionKey } from '../../../engine/gate/names.ts'
import { type Expected, feature, type Known } from '../feature.ts'
import { statusNow } from '../checkouts.ts'
import { find, sum, type World } from '../world.ts'
import { plain, quoted, type Till, type Used, voucherShown } from '../vouchers.ts'
import type { Random } from '../random.ts'
import { itemsOf, lineOf } from './purchase.ts'
import { LIVE_MAX } from './vouchers.ts'

type Locked = Till & { session: string; minutes: number }
/** A checkout sets vouchers aside; again, with others; and lets go of what it does not name any more. */
export const lockVouchers = feature<Locked>({
  do: 'lockVouchers',
  weight: 5,
  generate: (r, w) => {
    const till = tillOf(r, w)
    return till && { ...till, session: `till-${r.int(1, 4)}`, minutes: r.int(20, 60) }
  },

  model(w, till) {
    const { session, minutes } = till
    const found = refusesOrder(w, till) ?? quoted(w, till)
    if (typeof found === 'string') return { code: found }
    const member = till.member === undefined ? null : (find(w, till.member) ?? null)
    for (const one of w.vouchers.values()) one.locks = one.locks.filter((lock) => lock.session !== session)
    for (const { voucher: one, amount } of found.parts)
      one.locks.push({ session, member, until: w.now + minutes * MINUTE, amount })
    return { code: 'repeat', told: { totals: found.totals } } // nothing that stays is made: 200, as for a repeat
  },

  ask: ({ session, minutes, ...till }, known) => ({ verb: 'lockVouchers', ...orderOf(till, known), session, minutes }),
})

/** It lets go of all, or of some of it. */
export const unlockVouchers = feature<{ session: string; codes?: string[] }>({
  do: 'unlockVouchers',
  weight: 2,
  generate: (r, w) => ({
    session: `till-${r.int(1, 4)}`,
    ...(r.chance(0.3) && w.vouchers.size > 0 ? { codes: codesOf(r, w) } : {}),
  }),

  model(w, { session, codes }) {
    const unlocked: string[] = []
    for (const one of w.vouchers.values()) {
      if (codes && !codes.some((code) => plain(code) === plain(one.code))) continue
      if (one.locks.some((lock) => lock.session === session && lock.until > w.now)) unlocked.push(one.code)
      one.locks = one.locks.filter((lock) => lock.session !== session)
    }
    return { code: 'repeat', told: { unlocked: unlocked.sort() } }
  },

  ask: ({ session, codes }, known) => ({
    verb: 'unlockVouchers',
    program: 'coffee',
    session,
    codes: codes?.map(known.code),
  }),
})

type Redeemed = Till & { order: string }
/** They are used on an order: by the checkout that locked them, or straight away. */
export const redeemVouchers = feature<Redeemed>({
  do: 'redeemVouchers',
  weight: 9,
  generate(r, w, n) {
    const before = [...w.used.entries()].filter(([, one]) => !one.ofCheckout)
    const again = r.chance(0.06) ? r.pick([...before, undefined]) : undefined
    if (again) {
      const till = JSON.parse(again[1].content) as Till
      return { ...till, order: again[0], ...(r.chance(0.3) ? { policy: 'partial', codes: ['none-2'] } : {}) }
    }
    const till = tillOf(r, w)
    const open = [...w.checkouts.keys()].slice(-3)
    const order = r.chance(0.05) && open.length > 0 ? r.pick(open) : `o-${n}`
    return till && { ...till, order, ...(r.chance(0.4) ? { session: `till-${r.int(1, 4)}` } : {}) }
  },

  model(w, said) {
    const till = tillIn(said)
    const before = w.used.get(said.order)
    const member = till.member === undefined ? null : (find(w, till.member) ?? undefined)
    if (before) {
      if (member === undefined) return { code: 'member_unknown' }
      const whose = before.member ? find(w, before.member.name) : null
      const isSame =
        !before.ofCheckout && contentOf(before) === contentOf({ content: JSON.stringify(till) }) && whose === member
      return isSame ? { code: 'repeat', told: { totals: before.totals } } : { code: 'external_id_conflict' }
    }
    const no = refusesOrder(w, till)
    if (no) return { code: no }
    const checkout = w.checkouts.get(said.order)
    if (checkout && checkout.parts.length > 0 && statusNow(w, checkout) === 'reserved')
      return { code: 'external_id_conflict' }
    const found = quoted(w, till)
    if (typeof found === 'string') return { code: found }
    const { parts, totals } = found
    w.used.set(said.order, {
      content: JSON.stringify(till),
      member: member ?? null,
      parts,
      totals,
      rollBacks: new Map(),
    })
    if (till.session !== undefined)
      for (const one of w.vouchers.values()) one.locks = one.locks.filter((lock) => lock.session !== till.session)
    return { code: 'ok', told: { totals } }
  },

  ask: (said, known) => ({
    verb: 'redeemVouchers',
    ...orderOf(said, known),
    session: said.session,
    externalId: said.order,
  }),
})

type RolledBack = { order: string; codes?: string[]; amount?: number; name?: string }
/** The order, or some of it, does not come about after all. */
export const rollBackVouchers = feature<RolledBack>({
  do: 'rollBackVouchers',
  weight: 4,
  generate(r, w, n) {
    const orders = [...w.used.entries()].slice(-12)
    if (orders.length === 0) return undefined
    const [order, one] = r.pick(orders)
    const before = r.chance(0.2) ? r.pick([...one.rollBacks.entries(), undefined]) : undefined
    if (before) return { order, ...(JSON.parse(before[1]) as object), name: before[0] }
    const some = one.parts.filter(() => r.chance(0.5)).map((part) => part.voucher.code)
    const left = sum(one.parts.map((part) => part.amount - part.back))
    return {
      order: r.chance(0.03) ? 'o-none' : order,
      ...(r.chance(0.3) && some.length > 0 ? { codes: r.chance(0.1) ? [...some, 'none-1'] : some } : {}),
      ...(r.chance(0.4) ? { amount: Math.max(1, r.int(1, r.chance(0.8) ? left : left + 2)) } : {}),
      ...(r.chance(0.6) ? { name: `back-${n}` } : {}),
    }
  },

  model(w, { order, codes, amount, name }): Expected {
    const one = w.used.get(order)
    if (!one) return { code: 'redemption_unknown' }
    const content = JSON.stringify({ ...(codes ? { codes } : {}), ...(amount ? { amount } : {}) })
    const before = one.rollBacks.get(name ?? '')
    if (before !== undefined)
      return before === content ? { code: 'repeat', told: { status: statusOf(one) } } : { code: 'external_id_conflict' }
    const meant = (part: Used['parts'][number], code: string) => plain(part.voucher.code) === plain(code)
    if (codes?.some((code) => !one.parts.some((part) => meant(part, code)))) return { code: 'voucher_unknown' }
    const parts = one.parts.filter((part) => codes?.some((code) => meant(part, code)) ?? true)
    const left = sum(parts.map((part) => part.amount - part.back))
    if ((amount ?? 0) > left) return { code: 'refund_exceeds_spend' }
    let open = amount ?? left
    if (open > 0 && name !== undefined) one.rollBacks.set(name, content)
    for (const part of parts.reverse()) {
      const now = Math.min(open, part.amount - part.back)
      part.back += now
      open -= now
    }
    return { code: 'repeat', told: { status: statusOf(one) } }
  },

  ask: ({ order, codes, amount, name }, known) => ({
    verb: 'rollBackVouchers',
    redemption: voucherRedemptionKey(order),
    codes: codes?.map(known.code),
    amount,
    externalId: name,
  }),
})

function statusOf({ parts }: Used): string {
  if (parts.every((part) => part.back === part.amount)) return 'rolled_back'
  return parts.some((part) => part.back > 0) ? 'partly_rolled_back' : 'redeemed'
}

/** Why nothing of the order is looked at. */
export function refusesOrder(w: World, { member: name }: Till): string | undefined {
  if (w.paused) return 'program_paused'
  const member = name === undefined ? undefined : find(w, name)
  if (name !== undefined && !member) return 'member_unknown'
  return member && member.status !== 'active' ? 'member_suspended' : undefined
}

const tillIn = ({ member, codes, lines, policy, sequence, session }: Till): Till => ({
  ...(member === undefined ? {} : { member }),
  codes,
  lines,
  policy,
  sequence,
  ...(session === undefined ? {} : { session }),
})
/** All that was said but for the member, who may have another name by now. */
function contentOf({ content }: { content: string }): string {
  const { member: _, codes, ...said } = JSON.parse(content) as Till
  return JSON.stringify([codes.map(plain), said])
}

export const orderOf = ({ member, codes, lines, policy, sequence }: Till, known: Known) => ({
  program: 'coffee',
  ...(member === undefined ? {} : { member: `external:${member}` }),
  codes: codes.map(known.code),
  order: { currency: 'GBP', items: itemsOf({ items: lines }).items },
  policy,
  sequence,
})

/** Whether one of them is for some of the goods only. */
export const isForOneLine = (w: World, codes: readonly string[]): boolean =>
  codes.some((code) => {
    const one = w.vouchers.get(plain(code))
    return one && (one.sku !== null || one.value.kind === 'product')
  })

function tillOf(r: Random, w: World): Till | undefined {
  if (w.vouchers.size === 0) return undefined
  const codes = codesOf(r, w)
  return {
    ...(r.chance(0.75) && w.members.size > 0 ? { member: whoseOf(r, w, codes) } : {}),
    codes,
    lines: Array.from({ length: isForOneLine(w, codes) ? 1 : r.int(1, 3) }, (_, i) => lineOf(r, i)),
    policy: r.chance(0.5) ? 'all' : 'partial',
    sequence: r.chance(0.5) ? 'asked' : 'priority',
  }
}

export function codesOf(r: Random, w: World): string[] {
  const latest = [...w.vouchers.values()].slice(-LIVE_MAX - 2)
  const live = latest.filter((one) => voucherShown(w, one).status === 'active')
  const locked = latest.filter((one) => voucherShown(w, one).locked > 0)
  const known = locked.length > 0 && r.chance(0.4) ? locked : live.length > 0 && r.chance(0.85) ? live : latest
  const some = Array.from({
    length: r.weighted([
      { weight: 3, n: 1 },
      { weight: 2, n: 2 },
      { weight: 1, n: 3 },
    ]).n,
  })
  return some.map(() => (r.chance(0.02) ? 'none-1' : typed(r, r.pick(known).code)))
}
/** Mostly who may use them. */
export function whoseOf(r: Random, w: World, codes: readonly string[]): string {
  const bound = codes.flatMap((code) => w.vouchers.get(plain(code))?.member?.name ?? [])
  return bound.length > 0 && r.chance(0.8) ? r.pick(bound) : r.pick([...w.members.keys()])
}

const typed = (r: Random, code: string) =>
  r.chance(0.8) || code.startsWith('of ') ? code : code.toUpperCase().replace('-', ' ')
