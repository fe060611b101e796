import { decodeId, encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { RedemptionView } from '@laurel/contract/redemptions'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { digestOf } from '../base/keys.ts'
import { type Configuration, type Program, program, programById } from '../earning/configuration.ts'
import type { ConfiguredReward } from '../earning/configured.ts'
import type { MemberState } from '../ledger/books.ts'
import { type Redemption, STATUS, STATUS_NAMES, statusNow } from '../redemptions/redemptions.rules.ts'
import type { Voucher } from '../vouchers/vouchers.rules.ts'
import { walletSlug } from './answers.ts'
import type { Facts } from './asks.ts'
import { redemptionNeeds } from './redemption-slices.ts'
import { timesUsed } from './redemption-vouchers.ts'
import { type FurtherNeeds, namedMember, type Slices } from './slices.ts'

export type Found = { program: Program; reward: ConfiguredReward }

const REWARDS = new WeakMap<Configuration, Map<string | number, ConfiguredReward>>()

/** By number, by id, and by program and slug; read once a configuration. */
function rewardsOf(configuration: Configuration): Map<string | number, ConfiguredReward> {
  let known = REWARDS.get(configuration)
  if (!known) {
    known = new Map()
    for (const reward of configuration.rewards) {
      known.set(reward.rewardId, reward)
      known.set(reward.id, reward)
      known.set(`${reward.programId} ${reward.slug}`, reward)
    }
    REWARDS.set(configuration, known)
  }
  return known
}

/**
 * The reward that a caller names: by its id (rwd_…), or by its slug and program, which may be left out where there is one.
 * Refusals: program_unknown, reward_unknown, invalid_request.
 */
export function rewardNamed(
  configuration: Configuration,
  ask: { program?: string | undefined; reward: string },
): Found | Refusal {
  const id = decodeId('rwd', ask.reward)
  const [only, another] = configuration.programs
  const ours = ask.program === undefined ? (another ? undefined : only) : program(configuration, ask.program)
  if (ask.program !== undefined && !ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
  if (id === undefined && ask.program === undefined && another)
    return refusal('invalid_request', 'several programs: say which, or name the reward by its id', [
      { pointer: '/program', detail: 'is required where there are several programs' },
    ])
  const reward = rewardsOf(configuration).get(id ?? `${ours?.programId} ${ask.reward}`)
  const its = reward && programById(configuration, reward.programId)
  return reward && its && (ask.program === undefined || its === ours)
    ? { program: its, reward }
    : refusal('reward_unknown', `there is no reward "${ask.reward}"`)
}

/** Of all that was said and came of it at once, which never changes: what its entries carry. */
export function redemptionDigest(one: Omit<Redemption, 'status' | 'digest' | 'used' | 'history'>): Uuid {
  const { member, id, programId, rewardId, version, issuedAt, validFrom, validUntil, uses, code, poolId } = one
  const points = one.spent.map(([walletId, sum]) => [walletId, sum])
  const came = one.received && [one.received[0], one.received[1]]
  return digestOf(
    JSON.stringify([
      ['redemption', member, id, programId, rewardId, version, issuedAt, validFrom, validUntil, uses, code, poolId],
      [one.externalId, one.said, points, came],
    ]),
  )
}

/** A redemption as clients see it; `voucher`: that it was issued with, if it was. */
export function redemptionView(
  configuration: Configuration,
  one: Redemption,
  now: Instant,
  voucher?: Voucher,
): RedemptionView {
  const { said } = one
  const ours = programById(configuration, one.programId)
  const reward = rewardsOf(configuration).get(one.rewardId)
  if (!ours || !reward) throw new Error(`reward ${one.rewardId} is not in the configuration`)
  const { status, history } = standing(one, now, voucher)
  return {
    id: encodeId('rdm', one.id),
    member: encodeId('mem', one.member),
    program: ours.slug,
    reward: encodeId('rwd', reward.id),
    slug: reward.slug,
    name: said.name,
    kind: reward.kind,
    version: one.version,
    status: STATUS_NAMES[status] ?? 'issued',
    spent: Object.fromEntries(one.spent.map(([walletId, points]) => [walletSlug(ours, walletId), points])),
    ...(said.money === undefined ? {} : { money: said.money }),
    ...(one.received ? { received: { wallet: walletSlug(ours, one.received[0]), points: one.received[1] } } : {}),
    ...(said.value === undefined ? {} : { value: said.value }),
    ...(one.code === null ? {} : { code: one.code }),
    uses: { total: one.uses, used: timesUsed(one, voucher) },
    validFrom: formatInstant(one.validFrom),
    validUntil: one.validUntil === null ? null : formatInstant(one.validUntil),
    ...(said.store === undefined ? {} : { store: said.store }),
    ...(one.delivery === null ? {} : { delivery: JSON.parse(one.delivery) as Record<string, unknown> }),
    automatic: said.auto !== undefined,
    ...(one.externalId === null ? {} : { externalId: one.externalId }),
    issuedAt: formatInstant(one.issuedAt),
    history: history.map(({ s, at, ...more }) => ({
      status: STATUS_NAMES[s] ?? 'issued',
      at: formatInstant(at),
      ...more,
    })),
    entries: [...one.spent, ...(one.received ? [one.received] : [])].map(([, , seq]) => encodeEntryId(one.member, seq)),
  }
}

/**
 * Over since `validUntil`, whether that is booked or not; or used up at tills, where its voucher says so: what was rolled back after its
 * end is over and not used, whoever looked when.
 */
function standing(one: Redemption, now: Instant, voucher?: Voucher): Pick<Redemption, 'status' | 'history'> {
  const isOpen = one.status === STATUS.issued || one.status === STATUS.expired
  if (isOpen && voucher && timesUsed(one, voucher) >= one.uses) return { ...one, status: STATUS.used }
  if (one.status === STATUS.used && voucher && timesUsed(one, voucher) < one.uses)
    return { ...one, status: statusNow({ ...one, status: STATUS.issued }, now) }
  const status = statusNow(one, now)
  if (status === one.status) return one
  return { status, history: [...one.history, { s: status, at: one.validUntil ?? now }] }
}

/** A redemption stays with the member who made it, also when that one was merged into another. */
export function findRedemption(
  slices: Slices,
  ask: { redemption: Uuid },
  facts: Facts,
): { state: MemberState; stored: Redemption } | Refusal {
  const state = namedMember(slices, facts.member)
  const stored = slices.redemptions.byId.get(ask.redemption)
  return state && stored?.member === state.member
    ? { state, stored }
    : refusal('redemption_unknown', `there is no redemption "${encodeId('rdm', ask.redemption)}"`)
}

/** The redemption, and the books of the one whose it is. */
export function needRedemption(
  slices: Slices,
  ask: { redemption: Uuid },
  facts: Facts,
  needs: FurtherNeeds,
): MemberState | undefined {
  const state = namedMember(slices, facts.member)
  if (!state) return undefined
  needs.lots.add(state.member)
  redemptionNeeds(needs).byId.push({ member: state.member, id: ask.redemption })
  return state
}
