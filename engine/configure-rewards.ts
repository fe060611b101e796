import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type FieldError, Refused } from '@laurel/contract/refusals'
import type {
  RewardBody,
  RewardKind,
  RewardPatch,
  RewardShown,
  RewardStatus,
  RewardTerms,
} from '@laurel/contract/rewards'
import { addPeriod } from './base/calendar.ts'
import type { Tx } from './base/db.ts'
import { lastPosition } from './base/outbox.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { type Configuration, loadConfiguration, program, type Program } from './earning/configuration.ts'
import { compileCondition, compileNumber } from './earning/expressions.ts'
import { type RevisedReward, revisedReward, rewardRow } from './rewards/rewards.ts'
import { insertReward, insertRewardVersion, type RewardRow, updateReward } from './rewards/rewards.sql.ts'
import { saveLooked } from './redemptions/redemptions.sql.ts'
import { isAutomatic, isNeverUsable } from './rewards/rewards.rules.ts'
import { circleFaults, faultsOf, type Known, termsOf } from './rewards/terms.rules.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** Active unless told, with version 1. Refusals: invalid_request, program_unknown, already_exists. */
export async function createReward(tx: Tx, body: RewardBody, door: Door): Promise<RevisedReward> {
  await nextConfigVersion(tx)
  const configuration = await loadConfiguration(tx)
  const ours = program(configuration, body.program)
  if (!ours) throw new Refused('program_unknown', `there is no program "${body.program}"`)
  const { program: _, slug, name, kind, status = 'active', category, images, texts, price, ...said } = body
  const terms = termsOf(kind, { ...said, price: pricesOf(price) })
  check(configuration, ours, { slug, kind, terms }, validFaults(terms, ours, door.now))
  const id = door.newId()
  const rewardId = await insertReward(tx, { id, programId: ours.programId, slug, kind, status }, door.now)
  if (rewardId === undefined) {
    throw new Refused('already_exists', `the program has a reward "${slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another reward of the program' },
    ])
  }
  const shown = without({ category, images, texts })
  await insertRewardVersion(tx, rewardId, { version: 1, name, terms, shown }, door.now)
  await beginAutomatic(tx, configuration, { status, terms })
  return await revisedReward(tx, await rewardRow(tx, encodeId('rwd', id)))
}

/**
 * What is left out stays, null takes it away. What differs makes a version more, which holds from the next redemption on; `revision`
 * is the one that the caller has seen, if it says so. Refusals: invalid_request, reward_unknown, etag_mismatch.
 */
export async function changeReward(
  tx: Tx,
  ref: string,
  patch: RewardPatch,
  revision: number | undefined,
  door: Door,
): Promise<RevisedReward> {
  await nextConfigVersion(tx)
  const row = await rewardRow(tx, ref)
  if (revision !== undefined && revision !== row.revision)
    throw new Refused('etag_mismatch', `the reward "${row.slug}" was changed since it was read`)
  const { name = row.name, category, images, texts, price, ...said } = patch
  const prices = price === undefined ? {} : { price: pricesOf(price) }
  const terms = without({ ...row.terms, ...given({ ...said, ...prices }) }) as RewardTerms
  const shown = without({ ...row.shown, ...given({ category, images, texts }) }) as RewardShown
  const before = JSON.stringify([row.name, sorted(row.terms), sorted(row.shown)])
  if (before !== JSON.stringify([name, sorted(terms), sorted(shown)])) {
    const configuration = await loadConfiguration(tx)
    const ours = programOf(configuration, row)
    check(configuration, ours, { ...row, terms }, validFaults(terms, ours, door.now))
    await insertRewardVersion(tx, row.rewardId, { version: row.version + 1, name, terms, shown }, door.now)
    await updateReward(tx, row.rewardId, row.status, door.now)
    await beginAutomatic(tx, configuration, { ...row, terms })
  }
  return await revisedReward(tx, await rewardRow(tx, ref))
}

export type RewardTurn = 'publish' | 'archive'
const TURNS: Record<RewardTurn, RewardStatus> = { publish: 'active', archive: 'archived' }

/**
 * Holds from the next request. Twice is once; what was archived can be published again, unless others lead back to it by now.
 * Refusals: reward_unknown, invalid_request.
 */
export async function turnReward(tx: Tx, ref: string, turn: RewardTurn, door: Door): Promise<RevisedReward> {
  await nextConfigVersion(tx)
  const row = await rewardRow(tx, ref)
  if (turn === 'publish' && row.status !== 'active') {
    const configuration = await loadConfiguration(tx)
    const { others } = knownOf(configuration, programOf(configuration, row), row.slug)
    if (row.status === 'archived') refuse(circleFaults(row.terms, others))
    await beginAutomatic(tx, configuration, { ...row, status: 'active' })
  }
  if (row.status !== TURNS[turn]) await updateReward(tx, row.rewardId, TURNS[turn], door.now)
  return await revisedReward(tx, await rewardRow(tx, ref))
}

/** The first that thresholds redeem: they are reached by what comes from now on. */
async function beginAutomatic(
  tx: Tx,
  before: Configuration,
  reward: { status: RewardStatus; terms: RewardTerms },
): Promise<void> {
  if (isAutomatic(reward) && !before.rewards.some(isAutomatic)) await saveLooked(tx, await lastPosition(tx))
}

function pricesOf(price: RewardBody['price']): RewardTerms['price'] {
  return Array.isArray(price) ? price : [price]
}

function programOf(configuration: Configuration, row: RewardRow): Program {
  const ours = program(configuration, row.program)
  if (!ours) throw new Error(`the program of reward ${row.rewardId} is not there`)
  return ours
}

function check(
  configuration: Configuration,
  ours: Program,
  { slug, kind, terms }: { slug: string; kind: RewardKind; terms: RewardTerms },
  more: readonly FieldError[],
): void {
  refuse([...faultsOf(kind, terms, knownOf(configuration, ours, slug)), ...expressionFaults(terms), ...more])
}

/** What is over by its date is for its operator to know. Looked at twice, since a month is sometimes shorter than so many days. */
function validFaults({ price, valid }: RewardTerms, { timezone }: Program, now: Instant): FieldError[] {
  const terms = { price, valid: { ...valid, until: undefined } }
  const dates = [now, addPeriod(now, 'P6M', timezone)]
  if (!dates.every((at) => isNeverUsable(terms, at, timezone))) return []
  return [{ pointer: '/valid/for', detail: 'ends before activatesAfter is over: both count from the redemption' }]
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw new Refused('invalid_request', 'the reward does not have the expected shape', errors)
}

function knownOf(configuration: Configuration, { programId, wallets }: Program, own: string): Known {
  const of = <T extends { programId: number }>(all: readonly T[]) => all.filter((one) => one.programId === programId)
  return {
    wallets: new Set(wallets.map(({ slug }) => slug)),
    pools: new Set(of(configuration.pools).map(({ slug }) => slug)),
    tiers: new Map(
      of(configuration.ladders).map(({ slug, terms }) => [slug, new Set(terms.tiers.map((tier) => tier.slug))]),
    ),
    others: of(configuration.rewards)
      .filter(({ slug, status }) => slug !== own && status !== 'archived')
      .map(({ terms }) => terms),
  }
}

function expressionFaults({ visibility, value }: RewardTerms): FieldError[] {
  const when = visibility?.when === undefined ? undefined : compileCondition(visibility.when, 'offer')
  const dynamic = value?.kind === 'dynamic' ? compileNumber(value.expression, 'redemption') : undefined
  return [
    ...(when && 'fault' in when ? [{ pointer: '/visibility/when', detail: when.fault }] : []),
    ...(dynamic && 'fault' in dynamic ? [{ pointer: '/value/expression', detail: dynamic.fault }] : []),
  ]
}

/** What was said, null too. */
function given<T extends object>(said: T): Partial<T> {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Without what is null or was not said. */
function without<T extends object>(said: T): T {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== null)) as T
}

/** Keys in one order: what was stored and what was just said compare. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  )
}
