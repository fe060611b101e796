import type { Instant } from '../../contract/instants.ts'
import type { RuleTerms } from '../../contract/rule-terms.ts'
import type { WalletPatch } from '../../contract/wallets.ts'
import type { RuleAsk, RuleTurn, RuleVersionAsk } from '../../engine/configure-rules.ts'
import {
  type Configuration,
  configurationOf,
  type RuleState,
  type RuleVersion,
} from '../../engine/earning/configuration.ts'
import { aProgram, aVersion } from '../../engine/earning/rules-for-tests.ts'
import { newId } from '../../engine/base/ids.ts'
import type { ConfiguredLadder, ConfiguredPool, ConfiguredReward, SaidDates } from '../../engine/earning/configured.ts'
import { termsOf } from '../../engine/rewards/terms.rules.ts'
import { changedFields, changedSettings } from '../../engine/programs/wallets.rules.ts'
import type { Setup } from './driver.ts'
import { type Ladder, termsOf as termsOfLadder } from './ladders.ts'
import { SCHEMA, TYPES } from './features/activities.ts'
import type { Change as RewardChange, Made as MadeReward } from './features/rewards.ts'

const STATUS = { publish: 'active', archive: 'archived' } as const

/** What configuring writes, in memory: each change is a new config version. */
export function rulesInMemory(setup: Setup, start: Instant) {
  let program = {
    ...aProgram,
    joinPolicy: setup.joinPolicy,
    timezone: setup.timezone,
    wallets: setup.wallets.map(({ slug, settings }, i) => ({
      walletId: i + 1,
      slug,
      settings,
      changedAt: start,
      past: [] as SaidDates[],
    })),
  }
  let configVersion = 1
  const versions: RuleVersion[] = []
  const states: RuleState[] = []
  const ids = new Map<string, number>()
  const rewards = new Map<string, ConfiguredReward>()
  const pools = setup.pools.map((pool, i): ConfiguredPool => ({ poolId: i + 1, id: newId(0), programId: 1, ...pool }))
  const said = new Map<string, Ladder>(setup.ladders.map((ladder) => [ladder.slug, ladder]))
  let ladders = setup.ladders.map(
    (ladder, i): ConfiguredLadder => ({
      ladderId: i + 1,
      id: newId(0),
      programId: 1,
      slug: ladder.slug,
      version: 1,
      keeping: 1,
      firm: 1,
      terms: termsOfLadder(ladder),
      publishedAt: start,
      createdAt: start,
    }),
  )
  let configuration: Configuration | undefined
  const changed = () => {
    configVersion += 1
    configuration = undefined
    return 'ok'
  }
  const statusOf = (ruleId: number) => states.findLast((state) => state.ruleId === ruleId)?.status

  return {
    configuration: () =>
      (configuration ??= configurationOf({
        space: 1,
        configVersion,
        programs: [program],
        versions: [...versions],
        states: [...states],
        activeTimes: [],
        activityTypes: TYPES.map((slug) => ({
          programId: 1,
          slug,
          status: 'active',
          version: 1,
          schema: JSON.stringify(SCHEMA),
        })),
        ladders,
        rewards: [...rewards.values()],
        pools,
      })),
    pool: (slug: string) => pools.find((pool) => pool.slug === slug),
    createReward({ reward: slug, kind, status, terms }: MadeReward) {
      const rewardId = rewards.size + 1
      const about = { rewardId, id: newId(0), programId: 1, slug, name: slug }
      rewards.set(slug, { ...about, kind, status, version: 1, terms: termsOf(kind, terms) })
      return changed()
    },
    changeReward(slug: string, change: RewardChange) {
      const one = rewards.get(slug)
      if (!one) return 'reward_unknown'
      if (typeof change === 'string') rewards.set(slug, { ...one, status: STATUS[change] })
      else {
        const { stock: _, ...kept } = one.terms
        rewards.set(slug, { ...one, version: one.version + 1, terms: { ...kept, ...change } })
      }
      return changed()
    },
    changeLadder(publishedAt: Instant, slug: string, change: Partial<Ladder>) {
      const before = said.get(slug)
      if (!before) return 'tier_ladder_unknown'
      const after = { ...before, ...change }
      said.set(slug, after)
      ladders = ladders.map((one) => {
        if (one.slug !== slug) return one
        const { past = [], ...before } = one
        const version = one.version + 1
        return { ...one, version, firm: version, publishedAt, terms: termsOfLadder(after), past: [...past, before] }
      })
      return changed()
    },
    turnProgram(status: 'active' | 'paused') {
      program = { ...program, status }
      return changed()
    },
    changeWallet(changedAt: Instant, slug: string, patch: WalletPatch) {
      const wallets = program.wallets.map((w) => {
        if (w.slug !== slug) return w
        const settings = changedSettings(w.settings, patch)
        const fields = changedFields(w.settings, settings)
        const isOther = fields.includes('pending') || fields.includes('expiry')
        const { pending, expiry } = w.settings
        return { ...w, settings, changedAt, past: isOther ? [...w.past, { pending, expiry }] : w.past }
      })
      program = { ...program, wallets }
      return changed()
    },
    create(createdAt: Instant, name: string, said: RuleAsk) {
      changed()
      const ruleId = ids.size + 1
      ids.set(name, ruleId)
      const walletId = program.wallets.find((w) => w.slug === said.wallet)?.walletId ?? 0
      const { priority = 0, startsAt = null, endsAt = null } = said
      const terms = termsIn(said)
      versions.push(
        aVersion(ruleId, said.kind, said.args, {
          walletId,
          priority,
          startsAt,
          endsAt,
          terms,
          publishedIn: configVersion,
          createdAt,
        }),
      )
      states.push({ ruleId, configVersion, status: 'active' })
      return 'ok'
    },
    publish(at: Instant, name: string, said: RuleVersionAsk) {
      const before = versions.findLast((version) => version.ruleId === ids.get(name))
      if (!before) return 'rule_unknown'
      if (statusOf(before.ruleId) === 'archived') return 'rule_state'
      changed()
      const { args, effectiveFrom = at, startsAt = null, endsAt = null } = said
      const terms = { ...(before.terms.on ? { on: before.terms.on } : {}), ...termsIn(said) }
      const version = before.version + 1
      const ruleVersionId = before.ruleId * 1000 + version
      versions.push({
        ...before,
        ruleVersionId,
        version,
        args,
        effectiveFrom,
        startsAt,
        endsAt,
        terms,
        publishedIn: configVersion,
        createdAt: at,
      })
      return 'ok'
    },
    turn(name: string, turn: RuleTurn) {
      const ruleId = ids.get(name)
      if (ruleId === undefined) return 'rule_unknown'
      if (statusOf(ruleId) === 'archived' && turn !== 'archive') return 'rule_state'
      const status = ({ publish: 'active', pause: 'paused', resume: 'active', archive: 'archived' } as const)[turn]
      changed()
      states.push({ ruleId, configVersion, status })
      return 'ok'
    },
  }
}

function termsIn(said: Partial<RuleAsk> | RuleVersionAsk): RuleTerms {
  const terms: Record<string, unknown> = {}
  for (const term of ['on', 'when', 'pending', 'expiry', 'caps', 'cooldown', 'budget'] as const) {
    const one = (said as Record<string, unknown>)[term]
    if (one) terms[term] = one
  }
  return terms
}
