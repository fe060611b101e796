import { encodeId, type Uuid, decodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { OfferAnswer } from '@laurel/contract/offers'
import { type Refusal, Refused, refusal } from '@laurel/contract/refusals'
import type { RewardShown, RewardValue } from '@laurel/contract/rewards'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import type { ConfiguredReward, Program } from '../earning/configured.ts'
import { type Configuration, type Configurations, programById } from '../earning/configuration.ts'
import type { MemberFacts } from '../earning/question.ts'
import { beyondRange, partsOf, readsMember, whenOf, worthOf } from '../gate/rewards.ts'
import type { WalletState } from '../ledger/wallets.rules.ts'
import { existingMember } from '../members/members.ts'
import { loadFacts } from '../members/members.sql.ts'
import { countRedeemed } from '../redemptions/redemptions.sql.ts'
import {
  countedSince,
  eligible,
  memberLimit,
  missing,
  neverUsable,
  offered,
  type Redeemable,
} from '../rewards/rewards.rules.ts'
import { saidShown } from '../rewards/rewards.ts'
import { selectShown } from '../rewards/rewards.sql.ts'
import { currentConfiguration } from './current.ts'
import { programIdOf } from './pools.ts'
import { leftOf, type Left } from './rewards.ts'
import { broughtUpTo, readBooks, standingsAt } from './standings.ts'
import { heldTiers } from './tiers.ts'

export type OffersAsk = {
  program?: string | undefined
  store?: string | undefined
  category?: string | undefined
  can?: boolean | undefined
}

/** All that offers are told from. */
type Known = {
  configuration: Configuration
  now: Instant
  store: string | null
  status: number
  member: MemberFacts | undefined
  tiers: ReadonlyMap<number, Readonly<Record<string, string>>>
  spendable: (walletId: number) => number
  wallets: readonly WalletState[]
  redeemed: ReadonlyMap<number, number>
  left: (reward: ConfiguredReward) => Left
  shown: ReadonlyMap<number, RewardShown>
}

/**
 * Every reward that is offered now, in the order in which they were made: whether the member can redeem it, as `redeem` would decide,
 * and why not and how far. A fixed number of statements. Refusals: member_unknown, program_unknown, invalid_cursor.
 */
export async function listOffers(
  db: Db,
  known: Configurations,
  ref: string,
  ask: OffersAsk,
  page: PageAsk,
  now: Instant,
): Promise<Page<OfferAnswer>> {
  const [configuration, programId, member] = await Promise.all([
    currentConfiguration(db, known),
    programIdOf(db, known, ask.program),
    existingMember(db, ref),
  ])
  const after = afterOf(configuration, page.after)
  const rewards = configuration.rewards.filter(
    (reward) =>
      reward.rewardId > after && (programId === null || reward.programId === programId) && offered(reward, now),
  )
  const facts = await factsOf(db, configuration, member, rewards, ask, now)
  const offers = rewards
    .filter(({ rewardId }) => ask.category === undefined || facts.shown.get(rewardId)?.category === ask.category)
    .map((reward) => offerOf(facts, reward))
    .filter(({ can }) => ask.can === undefined || can === ask.can)
  return pageOf(
    offers.slice(0, page.limit + 1),
    page.limit,
    (offer) => offer,
    ({ reward }) => reward.id,
  )
}

/** The reward behind which a page begins. */
function afterOf({ rewards }: Configuration, after: string | undefined): number {
  if (after === undefined) return 0
  const id = decodeId('rwd', after)
  const reward = rewards.find((one) => one.id === id)
  if (!reward) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of offers')
  return reward.rewardId
}

async function factsOf(
  db: Db,
  configuration: Configuration,
  member: Uuid,
  rewards: readonly ConfiguredReward[],
  { store }: OffersAsk,
  now: Instant,
): Promise<Known> {
  const limited = rewards.flatMap((reward) => {
    const limit = memberLimit(reward.terms)
    return limit
      ? [{ member, rewardId: reward.rewardId, since: countedSince(limit, now, zoneOf(configuration, reward)) }]
      : []
  })
  const asksMember = rewards.some(readsMember)
  const tiered = asksMember || rewards.some(({ terms }) => terms.visibility?.tiers)
  const [[books], left, shown, [facts], times, tiers] = await Promise.all([
    readBooks(db, configuration, [member]),
    leftOf(db, configuration, rewards, now),
    rewards.length === 0
      ? new Map<number, RewardShown>()
      : selectShown(
          db,
          rewards.map(({ rewardId }) => rewardId),
        ),
    asksMember ? loadFacts(db, [member]) : [],
    countRedeemed(db, limited),
    tiered ? heldTiers(db, configuration, member, now) : new Map<number, Record<string, string>>(),
  ])
  if (!books) throw new Error(`member ${member} has no books`)
  const standing = standingsAt(broughtUpTo(books, now), now)
  return {
    configuration,
    now,
    store: store ?? null,
    status: books.state.status,
    member: facts,
    tiers,
    spendable: (walletId) => standing(walletId).available,
    wallets: books.state.wallets,
    redeemed: new Map(limited.map(({ rewardId }, i) => [rewardId, times[i] ?? 0])),
    left,
    shown,
  }
}

function zoneOf(configuration: Configuration, { programId }: ConfiguredReward): string {
  return programById(configuration, programId)?.timezone ?? 'UTC'
}

function offerOf(known: Known, reward: ConfiguredReward): OfferAnswer {
  const { now, member, redeemed } = known
  const program = programById(known.configuration, reward.programId)
  if (!program) throw new Error(`reward ${reward.rewardId} is of no program`)
  const left = known.left(reward)
  const spendable = (slug: string) => {
    const wallet = program.wallets.find((w) => w.slug === slug)
    return wallet ? known.spendable(wallet.walletId) : 0
  }
  const tiers = known.tiers.get(program.programId) ?? {}
  const about = { program, at: now, member: member && { ...member, tiers } }
  const may = mayRedeem(known, reward, {
    at: now,
    tiers,
    store: known.store,
    when: whenOf(reward, about),
    spendable,
    left: { total: left.total?.left, period: left.period?.left },
    codes: left.codes ?? undefined,
    redeemed: redeemed.get(reward.rewardId) ?? 0,
  })
  const cost = 'spent' in may ? may.spent : (reward.terms.price[0] ?? {})
  const worth = worthOf(reward, about, cost)
  const bad = refusedFor(known, reward, program, may, worth)
  const limit = memberLimit(reward.terms)
  return {
    reward: shownReward(known, reward, program.slug),
    can: bad === undefined,
    why: bad ? { code: bad.code, detail: bad.detail } : null,
    price: 'spent' in may && !bad ? { index: may.price, spent: { ...may.spent } } : null,
    missing: 'spent' in may ? {} : missing(reward.terms.price[0] ?? {}, spendable),
    worth: worth && 'kind' in worth && worth.kind === 'amount' ? worth.amount : null,
    left,
    mine: limit ? { redeemed: redeemed.get(reward.rewardId) ?? 0, limit: limit.times, per: limit.per } : null,
  }
}

/** Why it cannot be redeemed, in the order in which redeeming asks. */
function refusedFor(
  { now, wallets }: Known,
  reward: ConfiguredReward,
  program: Program,
  may: Redeemable | Refusal,
  worth: RewardValue | undefined | Refusal,
): Refusal | undefined {
  if ('code' in may) return may
  if (worth && 'code' in worth) return worth
  return neverUsable(reward, now, program.timezone) ?? beyondRange(wallets, partsOf(program, may.spent, worth))
}

function mayRedeem(
  { status, configuration }: Known,
  reward: ConfiguredReward,
  facts: Parameters<typeof eligible>[1],
): Redeemable | Refusal {
  const program = programById(configuration, reward.programId)
  if (program?.status === 'paused') return refusal('program_paused', `the program "${program.slug}" is paused`)
  if (status !== 1) return refusal('member_suspended', 'this member is suspended or closed')
  return eligible(reward, facts)
}

function shownReward({ shown }: Known, reward: ConfiguredReward, program: string): OfferAnswer['reward'] {
  const { id, slug, kind, version, name, terms } = reward
  return {
    id: encodeId('rwd', id),
    program,
    slug,
    kind,
    version,
    name,
    price: terms.price,
    money: terms.money ?? null,
    value: terms.value ?? null,
    stepUp: terms.stepUp ?? false,
    ...saidShown(shown.get(reward.rewardId) ?? {}),
  }
}
