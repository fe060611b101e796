import { redemptionKey, redemptionIdKey, autoKey } from './gate/names.ts'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { RewardValue } from '@laurel/contract/rewards'
import { codesLeft } from './codes/pools.rules.ts'
import type { Configuration } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts } from './gate/asks.ts'
import type { RedeemAsk } from './gate/redemption-asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { givenDates } from './gate/dates.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { MovedError } from './gate/faults.ts'
import { type Found, redemptionDigest, redemptionView, rewardNamed } from './gate/redemptions.ts'
import { isReached, needReward, type Taken, takeCode, takenOf } from './gate/redeeming.ts'
import { type RedemptionChanges, redemptionNeeds } from './gate/redemption-slices.ts'
import { issueVoucher, tillValue, voucherOfRedemption } from './gate/redemption-vouchers.ts'
import { type About, outKind, partsOf, readsMember, whenOf, worthOf } from './gate/rewards.ts'
import { tiersAt } from './gate/tiers.ts'
import { sortedJson } from './gate/said.ts'
import { findMember, type Named, type Slices, survivorOf } from './gate/slices.ts'
import type { MemberState } from './ledger/books.ts'
import { available, credit, debit } from './ledger/ledger.rules.ts'
import { deliveryDigest, type Redemption, type Said, STATUS } from './redemptions/redemptions.rules.ts'
import { eligible, neverUsable, type Redeemable, stockOf, validityOf } from './rewards/rewards.rules.ts'

/**
 * What happens when a member redeems a reward: its price leaves the member's lots in burn order, one is taken of its stock, a code of its
 * pool or a new one; or all of that is refused and nothing is taken. Nothing is left to do with a conversion or a donation: it is used at
 * once. Refusals: program_unknown, reward_unknown, invalid_request, member_unknown, external_id_conflict, program_paused, member_suspended,
 * not_eligible, limit_reached, out_of_stock, insufficient_points, confirmation_required, amount_out_of_range.
 */
export const redeem: Verb<RedeemAsk> = {
  name: ({ externalId, auto, reward }) =>
    auto === undefined ? externalId && redemptionKey(externalId) : autoKey(reward, auto),

  shares: ({ program, reward }) => [`reward ${program ?? ''} ${reward}`],

  chance: true,

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) redemptionNeeds(needs).byId.push({ member: before.member, id: before.object })
    const found = rewardNamed(slices.configuration, ask)
    const member = findMember(slices, facts.member)
    if (!member || isRefusal(found)) return
    needs.lots.add(member.member)
    needReward(slices.configuration, found, member.member, facts, needs)
  },

  decide(slices, ask, facts) {
    const found = rewardNamed(slices.configuration, ask)
    if (isRefusal(found)) return found
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const before = slices.names.get(facts.name ?? '')
    if (before) return repeated(slices, ask, before, member, found, facts)
    const { program, reward } = found
    if (program.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
    if (member.status !== 1)
      return refusal('member_suspended', 'this member is suspended or closed: nothing was redeemed')

    const opened = openBooks(slices, member, facts)
    const asked = askedOf(slices, found, ask, opened, facts)
    if (isRefusal(asked)) return asked
    if (reward.terms.stepUp && !ask.confirmed)
      return refusal('confirmation_required', `"${reward.slug}" is redeemed once the member has confirmed it`)
    const never = neverUsable(reward, facts.now, program.timezone)
    if (never) return never
    const valid = validityOf(reward.terms, facts.now, program.timezone)
    return book(slices, found, ask, opened, { ...asked, valid }, facts)
  },
}

type Valid = ReturnType<typeof validityOf>
type Asked = Redeemable & { worth: RewardValue | undefined }

/** Whether the member may, at which price, and what it is worth then. */
function askedOf(slices: Slices, found: Found, ask: RedeemAsk, opened: Opened, facts: Facts): Asked | Refusal {
  const { program, reward } = found
  const { state, lots } = opened.books
  const spendable = (slug: string) => {
    const wallet = program.wallets.find((w) => w.slug === slug)
    return wallet ? available(lots, wallet.walletId, facts.now) : 0
  }
  const points = spendable(reward.terms.auto?.wallet ?? '')
  if (ask.auto !== undefined && !isReached(slices, found, state.member, points))
    return refusal('insufficient_points', 'the threshold is not reached any more')
  const { left, redeemed, pool } = takenOf(slices, found, state.member, facts.now)
  const tiers = tiersAt(slices, state, program, facts.now, facts)?.tiers ?? {}
  const known = slices.limits.members.get(state.member)
  const about: About = { program, at: facts.now, member: known && { ...known, tiers } }
  if (readsMember(reward) && !known) throw new MovedError('what a reward asks of a member was not read')
  const may = eligible(reward, {
    at: facts.now,
    tiers,
    store: ask.store ?? null,
    when: whenOf(reward, about),
    spendable,
    left,
    codes: pool && codesLeft(pool),
    redeemed,
    price: ask.price,
  })
  if (isRefusal(may)) return may
  const worth = worthOf(reward, about, may.spent)
  return worth && isRefusal(worth) ? worth : { ...may, worth }
}

function book(
  slices: Slices,
  found: Found,
  ask: RedeemAsk,
  opened: Opened,
  asked: Asked & { valid: Valid },
  facts: Facts,
): Decision | Refusal {
  const { program, reward } = found
  const { configuration } = slices
  const code = takeCode(slices, found, facts)
  const limits = stockOf(reward, facts.now, program.timezone)
  const one = redemptionOf(found, ask, opened, { ...asked, code, stock: limits.map(({ period }) => period) }, facts)
  one.digest = redemptionDigest(one)
  const full = move(configuration, found, one, opened, facts)
  if (full) return full
  opened.events.push(tell(opened.books.state, 'reward.redeemed', { redemption: one.id }))
  settleBooks(opened, facts)
  const named = { member: one.member, object: one.id, seq: null }
  const keys = [redemptionIdKey(one.id), code?.name, facts.name].filter((key) => key !== undefined)
  const redemption: RedemptionChanges = {
    one,
    times: 1,
    stock: limits.map(({ limit, ...key }) => ({ ...key, times: 1, room: limit - 1 })),
    codes: code?.taken ? [code.taken] : [],
  }
  return {
    status: 201,
    body: JSON.stringify({
      ...redemptionView(configuration, one, facts.now),
      wallets: walletAnswers(configuration, opened.books.state, program.programId),
    }),
    changes: {
      member: one.member,
      at: facts.now,
      ...opened,
      redemption,
      vouchers: issueVoucher(slices, reward.kind, one),
      names: keys.map((key) => ({ key, ...named })),
    },
  }
}

/** As it is stored, before its entries are booked. */
function redemptionOf(
  { program, reward }: Found,
  ask: RedeemAsk,
  { books }: Opened,
  asked: Asked & { valid: Valid; code: Taken | undefined; stock: string[] },
  facts: Facts,
): Redemption {
  const { code, valid, worth } = asked
  const atTill = tillValue(reward.kind, worth) !== undefined
  const { terms } = reward
  const delivery = ask.delivery === undefined ? null : sortedJson(ask.delivery)
  const said: Said = {
    name: reward.name,
    price: asked.price,
    ...(ask.price === undefined ? {} : { asked: true }),
    ...(terms.money === undefined ? {} : { money: terms.money }),
    ...(ask.store === undefined ? {} : { store: ask.store }),
    ...(delivery === null ? {} : { delivery: deliveryDigest(facts.id, delivery) }),
    ...(worth === undefined ? {} : { value: worth }),
    ...((terms.fulfilment ?? reward.kind === 'physical') ? { fulfilment: true } : {}),
    ...(ask.auto === undefined ? {} : { auto: ask.auto }),
    ...(asked.stock.length === 0 ? {} : { stock: asked.stock }),
    ...(code?.back === undefined ? {} : { key: code.back }),
    ...(code && atTill ? { voucher: code.key } : {}),
  }
  const done = reward.kind === 'conversion' || reward.kind === 'donation'
  const isSent = said.fulfilment && said.voucher === undefined // a coupon that is sent is used at tills
  const uses = done || isSent || reward.kind === 'gift_card' ? 1 : valid.uses
  const status = done ? STATUS.used : STATUS.issued
  const steps = done ? [STATUS.issued, STATUS.used] : [STATUS.issued]
  return {
    member: books.state.member,
    id: facts.id,
    programId: program.programId,
    rewardId: reward.rewardId,
    version: reward.version,
    status,
    digest: facts.id,
    issuedAt: facts.now,
    validFrom: valid.from,
    validUntil: valid.until,
    uses,
    used: done ? 1 : 0,
    code: code?.code ?? null,
    poolId: code?.poolId ?? null,
    externalId: ask.externalId ?? null,
    said,
    delivery,
    ...partsOf(program, asked.spent, worth),
    history: steps.map((s) => ({ s, at: facts.now })),
  }
}

/** Points go, and those of a conversion come, each by an entry of its own. Refuses amount_out_of_range. */
function move(c: Configuration, { reward }: Found, one: Redemption, opened: Opened, facts: Facts): Refusal | undefined {
  const { books, events } = opened
  const kind = outKind(one)
  const why = {
    source: one.id,
    digest: one.digest,
    occurredAt: facts.now,
    now: facts.now,
    reason: reward.name,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
  for (const part of one.spent) {
    const short = debit(books, part[0], part[1], { ...why, kind })
    if (short) return short
    part[2] = books.state.entrySeq
    events.push(tell(books.state, kind === 'convertOut' ? 'points.converted' : 'points.spent', { entry: part[2] }))
  }
  if (!one.received) return undefined
  const [walletId, points] = one.received
  const full = credit(books, walletId, points, { ...why, kind: 'convertIn' }, givenDates(c, walletId, facts.now))
  if (full) return full
  one.received[2] = books.state.entrySeq
  events.push(tell(books.state, 'points.converted', { entry: one.received[2] }))
  return undefined
}

/** The same again is the same; under the name of something else it is refused. */
function repeated(
  slices: Slices,
  ask: RedeemAsk,
  before: Named,
  member: MemberState,
  { program, reward }: Found,
  facts: Facts,
): Decision | Refusal {
  const stored = slices.redemptions.byId.get(before.object ?? '')
  const state = slices.states.get(before.member)
  if (!stored || !state) throw new Error(`redemption ${before.object} is named but was not loaded`)
  const { said } = stored
  const delivery = ask.delivery === undefined ? undefined : deliveryDigest(stored.id, sortedJson(ask.delivery))
  const same =
    survivorOf(slices, stored.member) === member.member &&
    stored.rewardId === reward.rewardId &&
    (said.asked ? said.price : undefined) === ask.price &&
    said.store === ask.store &&
    said.delivery === delivery
  if (!same) return refusal('external_id_conflict', `the external id "${ask.externalId}" names another redemption`)
  return {
    status: 200,
    body: JSON.stringify({
      ...redemptionView(slices.configuration, stored, facts.now, voucherOfRedemption(slices, stored)),
      wallets: walletsNow(slices, member, program.programId, facts.now),
    }),
  }
}
