import { decodeId } from '../../../contract/ids.ts'
import { type Expected, feature, type Known } from '../feature.ts'
import { datesOf, give, passTime, seen, spendable, take } from '../model.ts'
import {
  isReached,
  issued,
  type Redemption,
  redeemable,
  type Reward,
  statusNow,
  stocksOf,
  timesUsed,
  validity,
} from '../rewards.ts'
import { plain, type Voucher, voucherShown } from '../vouchers.ts'
import { find, living, type Lot, type Member, type World } from '../world.ts'
import type { Random } from '../random.ts'
import { someone } from './purchase.ts'
import { refundAll } from './refund.ts'

/** auto: a threshold redeems it, because of that. */
type Said = { externalId: string; member: string; reward: string; price?: number; confirmed?: true; auto?: string }

/** Points become a reward: as far as there are points, stock and codes, and the member may. */
export const redeem = feature<Said>({
  do: 'redeem',
  weight: 14,

  generate(r, w, n) {
    if (w.rewards.size === 0) return undefined
    if (r.chance(0.06) && w.redemptions.size > 0) {
      const before = JSON.parse(r.pick([...w.redemptions.values()]).content) as Said
      return r.chance(0.7) ? before : { ...before, price: 1 - (before.price ?? 1) }
    }
    const some = [...w.rewards.values()].filter((one) => one.status === 'active' || r.chance(0.1))
    const reached = byItself(r, w, some)
    if (reached) return reached
    const member = r.chance(0.98) && w.members.size > 0 ? r.pick([...w.members.keys()]) : someone(r, w)
    const who = find(w, member)
    const easy = some.filter((one) => who && typeof redeemable(w, who, one, { confirmed: true }) !== 'string')
    const which = easy.length > 0 && r.chance(0.6) ? easy : some
    return {
      externalId: `d-${n}`,
      member,
      reward: which.length > 0 && r.chance(0.99) ? r.pick(which).slug : 'rwd-none',
      ...(r.chance(0.2) ? { price: r.int(0, 1) } : {}),
      ...(r.chance(0.5) ? { confirmed: true } : {}),
    }
  },

  model(w, said) {
    const reward = w.rewards.get(said.reward)
    if (!reward) return { code: 'reward_unknown' }
    const member = find(w, said.member)
    if (!member) return { code: 'member_unknown' }
    const before = w.redemptions.get(said.externalId)
    if (before) {
      const { price } = JSON.parse(before.content) as Said
      const isSame = before.reward === reward && living(before.member) === member && price === said.price
      return isSame ? { code: 'repeat', told: toldOf(w, before) } : { code: 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (said.auto !== undefined && !isReached(w, member, reward)) return { code: 'insufficient_points' }
    const found = redeemable(w, member, reward, said)
    if (typeof found === 'string') return { code: found }
    const valid = validity(w, reward.terms)
    if (valid.until !== null && valid.until <= valid.from) return { code: 'not_eligible' }
    const one = taken(w, said, member, reward, { ...found, ...valid })
    w.redemptions.set(one.name, one)
    return { code: 'ok', told: toldOf(w, one) }
  },

  ask: ({ externalId, member, reward, price, confirmed, auto }) => ({
    verb: 'redeem',
    member: `external:${member}`,
    program: 'coffee',
    reward,
    price,
    confirmed,
    ...(auto === undefined ? { externalId } : { auto }),
  }),
})

/** What the worker asks, of a member whose points may have reached a threshold: once, or again. */
function byItself(r: Random, w: World, some: readonly Reward[]): Said | undefined {
  const auto = some.filter((one) => one.terms.auto)
  if (auto.length === 0 || w.members.size === 0 || r.chance(0.6)) return undefined
  const { slug } = r.pick(auto)
  const cause = `e-${r.int(1, 40)} ${r.int(1, 2)}`
  const member = r.pick([...w.members.keys()])
  return { externalId: `auto ${slug} ${member} ${cause}`, member, reward: slug, auto: `${member} ${cause}` }
}

const asSaid = ({ externalId, member, reward, price, confirmed, auto }: Said): Said => ({
  externalId,
  member,
  reward,
  ...(price === undefined ? {} : { price }),
  ...(confirmed ? { confirmed } : {}),
  ...(auto === undefined ? {} : { auto }),
})

type Found = Pick<Redemption, 'cost' | 'from' | 'until'>
function taken(w: World, said: Said, member: Member, reward: Reward, { cost, from, until }: Found): Redemption {
  const { code, valid, value } = reward.terms
  const done = reward.kind === 'donation' || reward.kind === 'conversion'
  const pool = code && w.pools.get(code.pool)
  const handed = pool?.left.shift()
  const voucher = issued(w, member, reward, handed ?? `of ${said.externalId}`, { from, until })
  if (voucher) w.vouchers.set(plain(voucher.code), voucher)
  const n = ++w.counter
  const spends: Redemption['spends'] = []
  for (const [wallet, points] of Object.entries(cost)) {
    const lots: { lot: Lot; points: number }[] = []
    take(spendable(w, member, wallet), points, (lot, some) => lots.push({ lot, points: some }))
    const converts = value?.kind === 'points'
    if (!converts) seen(w, member, wallet, 'spend') // a conversion is none
    member.journal.push({ what: converts ? 'moved' : 'spent', wallet, points: converts ? -points : points })
    spends.push({ n, said: { member: said.member, wallet, points, externalId: '' }, member, wallet, lots })
  }
  if (value?.kind === 'points') {
    const { wallet, points } = value
    const { until: end } = datesOf(w, wallet, w.now, { pending: { kind: 'none' } })
    give(w, member, { wallet, points, source: said.externalId, from: w.now, until: end }, 'moved')
  }
  return {
    name: said.externalId,
    reward,
    member,
    content: JSON.stringify(asSaid(said)),
    at: w.now,
    from,
    until,
    uses: done || reward.kind === 'physical' || reward.kind === 'gift_card' ? 1 : (valid?.uses ?? 1),
    used: done ? 1 : 0,
    usedAs: new Set(),
    status: done ? 'used' : 'issued',
    cost,
    spends,
    code: handed,
    voucher,
    pool: pool?.reusable ? pool : undefined,
    counted: stocksOf(w, reward.terms).map(({ name }) => name),
  }
}

const toldOf = (w: World, one: Redemption) => ({
  status: statusNow(w, one),
  spent: one.cost,
  ...(one.code === undefined && one.voucher ? {} : { code: one.code }), // one that was made is nobody's choice
  uses: { total: one.uses, used: timesUsed(w, one) },
})

/** It is undone: points, stock, limit and code are there again. */
export const cancel = feature<{ redemption: string }>({
  do: 'cancel',
  weight: 4,
  generate: (r, w) => some(r, w),

  model(w, { redemption: name }): Expected {
    const one = w.redemptions.get(name)
    if (!one) return { code: 'redemption_unknown' }
    const whose = living(one.member).name
    const status = statusNow(w, one)
    if (status === 'cancelled') return { code: 'repeat', told: toldOf(w, one), whose }
    if (one.status !== 'issued' && !LEFT.includes(one.status)) return { code: 'redemption_not_open' }
    if ((one.status === 'issued' && (one.until ?? Number.POSITIVE_INFINITY) <= w.now) || one.used > 0)
      return { code: 'redemption_not_open' }
    if (w.paused) return { code: 'program_paused' }
    if (one.voucher && isTouched(w, one.voucher)) return { code: 'redemption_not_open' }
    if (one.voucher) one.voucher.withdrawn = true
    for (const spend of one.spends) refundAll(w, spend)
    one.status = 'cancelled'
    if (one.code !== undefined) one.pool?.left.push(one.code)
    passTime(w)
    return { code: 'repeat', told: toldOf(w, one), whose } // a change of what is there already: 200, as for a repeat
  },

  ask: ({ redemption }, known) => ({ verb: 'cancelRedemption', ...idOf(redemption, known) }),
})

/** Sent on its way, it can still come back. */
const LEFT = ['ordered', 'shipped', 'delivered']

function isTouched(w: World, voucher: Voucher): boolean {
  const { used, locked } = voucherShown(w, voucher)
  return used > 0 || locked > 0
}

/** By hand, where no till was. A gift card is taken whole, where no till has taken of it. */
function useByHand(w: World, voucher: Voucher): boolean {
  const { used, locked, balance, status } = voucherShown(w, voucher)
  const no = balance === null ? voucher.total !== null && used >= voucher.total : used > 0
  if (no || locked > 0 || voucher.blocked || status === 'withdrawn') return false
  if (voucher.total === null || voucher.total === 1) voucher.withdrawn = true
  else voucher.total -= 1
  return true
}

type Way = 'order' | 'ship' | 'deliver' | 'use'
const LEADS = { order: 'ordered', ship: 'shipped', deliver: 'delivered' } as const
const FROM = { order: 'issued', ship: 'ordered', deliver: 'shipped' } as const

/** What is to be sent goes its way, and what is used is used: once, or as often as it can be. */
export const fulfil = feature<{ redemption: string; way: Way; use?: string }>({
  do: 'fulfil',
  weight: 5,
  generate(r, w, n) {
    const found = some(r, w)
    if (!found) return undefined
    const one = w.redemptions.get(found.redemption)
    const next = { issued: 'order', ordered: 'ship', shipped: 'deliver' }[one?.status as 'issued'] ?? 'deliver'
    const fits = one?.reward.kind === 'physical' ? (next as Way) : 'use'
    const way = r.chance(0.9) ? fits : r.pick(['order', 'ship', 'deliver', 'use'] as const)
    const before = [...(one?.usedAs ?? [])]
    const again = r.chance(0.1) && before.length > 0 ? r.pick(before) : `u-${n}`
    return { ...found, way, ...(way === 'use' && r.chance(0.7) ? { use: again } : {}) }
  },

  model(w, { redemption: name, way, use }): Expected {
    const one = w.redemptions.get(name)
    if (!one) return { code: 'redemption_unknown' }
    const whose = living(one.member).name
    if (use !== undefined && one.usedAs.has(use)) return { code: 'repeat', told: toldOf(w, one), whose }
    const status = statusNow(w, one)
    const isSent = one.reward.kind === 'physical'
    if (way === 'use') {
      if (one.status !== 'issued' || status === 'expired' || isSent || w.now < one.from)
        return { code: 'redemption_not_open' }
      if (one.voucher && !useByHand(w, one.voucher)) return { code: 'redemption_not_open' }
      one.used += 1
      if (use !== undefined) one.usedAs.add(use)
      if (one.used === one.uses) one.status = 'used'
    } else {
      if (status !== LEADS[way] && (status !== FROM[way] || !isSent)) return { code: 'redemption_not_open' }
      one.status = LEADS[way]
    }
    return { code: 'repeat', told: toldOf(w, one), whose }
  },

  ask: ({ redemption, way, use }, known) => ({ verb: 'fulfil', ...idOf(redemption, known), way, externalId: use }),
})

function some(r: Random, w: World): { redemption: string } | undefined {
  const latest = [...w.redemptions.values()].slice(-25)
  if (latest.length === 0) return undefined
  const open = latest.filter((one) => !['used', 'expired', 'cancelled'].includes(statusNow(w, one)))
  return { redemption: r.chance(0.02) ? 'd-none' : r.pick(open.length > 0 && r.chance(0.8) ? open : latest).name }
}

const NOBODY = 'mem_00000000000000000000000000'
const NOTHING = '00000000-0000-7000-8000-000000000000'

function idOf(name: string, known: Known): { member: string; redemption: string } {
  const made = known.made(name)
  return { member: made?.member ?? NOBODY, redemption: decodeId('rdm', made?.id ?? '') ?? NOTHING }
}
