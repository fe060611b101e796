import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { RewardKind, RewardStatus, RewardTerms } from '@laurel/contract/rewards'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import type { LadderTerms } from '@laurel/contract/tiers'
import type { WalletSettings } from '@laurel/contract/wallets'

/** What is configured in a space, as it is read from the database. */

export type Program = {
  programId: number
  id: Uuid
  slug: string
  name: string
  timezone: string
  currency: string
  joinPolicy: 'explicit' | 'on_first_purchase'
  claimDays: number | null
  status: 'active' | 'paused'
  /** changedAt: when its settings were last changed. past: what they said before of when points begin and end, oldest first */
  wallets: {
    walletId: number
    slug: string
    settings: WalletSettings
    changedAt?: Instant
    past?: readonly SaidDates[]
  }[]
}

export type RuleStatus = 'draft' | 'active' | 'paused' | 'archived'

/** Immutable. `startsAt`, `endsAt`: the half-open window of occurredAt in which this version gives. */
export type RuleVersion = {
  ruleVersionId: number
  ruleId: number
  rule: Uuid
  version: number
  name: string
  kind: string
  walletId: number
  args: unknown
  terms: RuleTerms
  priority: number
  effectiveFrom: Instant | null
  startsAt: Instant | null
  endsAt: Instant | null
  publishedIn: number
  createdAt?: Instant
}

/** From `configVersion` on, the rule has this status. */
export type RuleState = { ruleId: number; configVersion: number; status: RuleStatus }

/** A type of activity with its newest schema, as the JSON that was said. */
export type ActivityType = {
  programId: number
  slug: string
  status: 'active' | 'archived'
  version: number
  schema: string
}

/**
 * What a version of a ladder says. keeping: the version since which the same is counted in the same way. firm: the newest
 * version that everybody is held against at once. publishedAt: since when it holds. timezone: by which its days are
 * counted, where that was noted.
 */
export type ConfiguredVersion = {
  version: number
  keeping: number
  firm: number
  terms: LadderTerms
  publishedAt?: Instant
  timezone?: string | null
}

/** A ladder of tiers that is in force (not archived), as its newest version says it. past: those before, oldest first. */
export type ConfiguredLadder = ConfiguredVersion & {
  ladderId: number
  id: Uuid
  programId: number
  slug: string
  createdAt: Instant
  past?: readonly ConfiguredVersion[]
}

/** A reward as its newest version says it, archived ones too. */
export type ConfiguredReward = {
  rewardId: number
  id: Uuid
  programId: number
  slug: string
  kind: RewardKind
  status: RewardStatus
  version: number
  name: string
  terms: RewardTerms
}

/** reusable: the code of a redemption that is cancelled comes back */
export type ConfiguredPool = { poolId: number; id: Uuid; programId: number; slug: string; reusable: boolean }

/** The rows that say everything that is configured in a space. `activeTimes`: when rules were active, [at, until). */
export type Configured = {
  space: number
  configVersion: number
  programs: Program[]
  versions: RuleVersion[]
  states: RuleState[]
  activeTimes: { ruleId: number; at: Instant; until: Instant | null }[]
  activityTypes: ActivityType[]
  ladders: ConfiguredLadder[]
  rewards: ConfiguredReward[]
  pools: ConfiguredPool[]
}

/** One rule of a program: its versions and states, oldest first. */
export type Rule = { ruleId: number; versions: RuleVersion[]; states: RuleState[] }

/** A wallet, and the program that it is of. */
export type ConfiguredWallet = {
  program: Program
  slug: string
  settings: WalletSettings
  changedAt?: Instant | undefined
  past: readonly SaidDates[]
}

export type SaidDates = Pick<WalletSettings, 'pending' | 'expiry'>
