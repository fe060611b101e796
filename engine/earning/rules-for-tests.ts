import { DEFAULT_SETTINGS } from '@laurel/contract/wallets'
import { configurationOf, type Configured, type Program, type RuleState, type RuleVersion } from './configuration.ts'
import { KINDS } from './kinds.ts'
import type { Kind } from './kinds/kind.ts'
import type { Line, Question } from './question.ts'

/** A program as tests need one: `points` is wallet 1, `stamps` wallet 2. */
export const aProgram: Program = {
  programId: 1,
  id: '019aa000-0000-7000-8000-000000000001',
  slug: 'coffee',
  name: 'Coffee Club',
  timezone: 'Europe/London',
  currency: 'GBP',
  joinPolicy: 'explicit',
  claimDays: 30,
  status: 'active',
  wallets: [
    { walletId: 1, slug: 'points', settings: DEFAULT_SETTINGS },
    { walletId: 2, slug: 'stamps', settings: DEFAULT_SETTINGS },
  ],
}

/** A purchase of these lines, as rules are asked about it. */
export function aQuestion(lines: readonly Line[], differs: Partial<Question> = {}): Question {
  return {
    event: 'purchase',
    lines,
    occurredAt: 1_750_000_000_000_000,
    timezone: aProgram.timezone,
    currency: aProgram.currency,
    purchase: { channel: null, store: null, metadata: {} },
    ...differs,
  }
}

/** Version 1 of rule `ruleId`, published in config version 1; say what differs. */
export function aVersion(ruleId: number, kind: string, args: unknown, differs: Partial<RuleVersion> = {}): RuleVersion {
  const version = differs.version ?? 1
  return {
    ruleVersionId: ruleId * 1000 + version,
    ruleId,
    rule: `019aa000-0000-7000-8000-1${String(ruleId).padStart(11, '0')}`,
    version,
    name: `rule ${ruleId}`,
    kind,
    walletId: 1,
    args,
    terms: {},
    priority: 0,
    effectiveFrom: null,
    startsAt: null,
    endsAt: null,
    publishedIn: 1,
    ...differs,
  }
}

/** The configuration of one program with these versions; every rule is active from config version 1 unless told. */
export function aConfiguration(
  versions: RuleVersion[],
  differs: Partial<Configured> = {},
  kinds: readonly Kind[] = KINDS,
) {
  const ruleIds = [...new Set(versions.map((v) => v.ruleId))]
  const states: RuleState[] = ruleIds.map((ruleId) => ({ ruleId, configVersion: 1, status: 'active' }))
  const rest = {
    activeTimes: ruleIds.map((ruleId) => ({ ruleId, at: 0, until: null })),
    activityTypes: [],
    ladders: [],
    rewards: [],
    pools: [],
  }
  return configurationOf(
    { space: 1, configVersion: 1, programs: [aProgram], versions, states, ...rest, ...differs },
    kinds,
  )
}
