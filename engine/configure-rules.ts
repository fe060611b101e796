import type { RuleAnswer } from '@laurel/contract/earning-rules'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type FieldError, Refused } from '@laurel/contract/refusals'
import type { RuleTerms } from '@laurel/contract/rule-terms'
import { selectSlugs } from './activities/types.sql.ts'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { checkArgs, checkGroup, checkTerms } from './earning/args.rules.ts'
import type { RuleStatus } from './earning/configuration.ts'
import {
  insertRule,
  insertState,
  insertVersion,
  selectWalletUnit,
  type RuleRow,
  selectGroup,
} from './earning/earning.sql.ts'
import { getRule, ruleRow, walletOf } from './earning/rules.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/** A new rule: the validated body, instants read. Wallet `points`, priority 0 and status active unless told. */
export type RuleAsk = RuleTerms & {
  program: string
  wallet?: string | undefined
  name: string
  kind: string
  args: unknown
  startsAt?: Instant | null | undefined
  endsAt?: Instant | null | undefined
  priority?: number | undefined
  status?: 'draft' | 'active' | undefined
}

/** What a version may change of the terms. What the rule answers to stays. */
const CHANGEABLE = ['when', 'group', 'caps', 'cooldown', 'budget', 'pending', 'expiry'] as const
type TermsPatch = { [Term in (typeof CHANGEABLE)[number]]?: RuleTerms[Term] | null }

/** A new version: what is left out stays as in the version before; null takes a term or a bound of the window away. */
export type RuleVersionAsk = Partial<Pick<RuleAsk, 'name' | 'args' | 'startsAt' | 'endsAt' | 'priority'>> &
  TermsPatch & { effectiveFrom?: Instant | undefined }

/**
 * Version 1 is effective for purchases of any date, within startsAt and endsAt.
 * Refusals: invalid_request, program_unknown, wallet_unknown.
 */
export async function createRule(tx: Tx, ask: RuleAsk, door: Door): Promise<RuleAnswer> {
  const terms = patched(ask.on === undefined ? {} : { on: ask.on }, ask)
  const said = {
    name: ask.name,
    kind: ask.kind,
    terms,
    args: validArgs(ask.kind, ask.args, terms),
    priority: ask.priority ?? 0,
    ...validWindow(ask.startsAt ?? null, ask.endsAt ?? null),
  }
  const status = ask.status ?? 'active'
  const configVersion = await nextConfigVersion(tx)
  const { programId, walletId } = await walletOf(tx, ask.program, ask.wallet ?? 'points')
  await requireGroup(tx, programId, ask.kind, terms, null)
  await requirePrice(tx, walletId, terms)
  await requireActivities(tx, programId, terms)
  const id = door.newId()
  const ruleId = await insertRule(tx, id, programId, door.now)
  await insertVersion(tx, ruleId, { ...said, version: 1, walletId, effectiveFrom: null }, configVersion, door.now)
  await insertState(tx, ruleId, configVersion, status, door.now)
  if (status === 'active') await tellPublished(tx, id, 1, door)
  return await getRule(tx, encodeId('rul', id))
}

/**
 * Effective for purchases that occur from `effectiveFrom` on, now unless told; earlier versions stay as they are. A
 * draft stays a draft, its new version reaching back like the first; a paused rule stays paused.
 * Refusals: invalid_request, rule_unknown, rule_state (archived).
 */
export async function publishRuleVersion(tx: Tx, ref: string, ask: RuleVersionAsk, door: Door): Promise<RuleAnswer> {
  const configVersion = await nextConfigVersion(tx)
  const row = await ruleRow(tx, ref)
  if (row.status === 'archived') throw stateRefusal(row, 'have another version')
  const version = row.version + 1
  const effectiveFrom = ask.effectiveFrom ?? (row.status === 'draft' ? null : door.now)
  if (effectiveFrom !== null) checkInstant('/effectiveFrom', effectiveFrom)
  const terms = patched(row.terms, ask)
  await requirePrice(tx, row.walletId, terms)
  await requireGroup(tx, row.programNumber, row.kind, terms, row.id)
  await requireActivities(tx, row.programNumber, terms)
  await insertVersion(
    tx,
    row.ruleId,
    {
      version,
      name: ask.name ?? row.name,
      kind: row.kind,
      walletId: row.walletId,
      terms,
      args: validArgs(row.kind, ask.args ?? row.args, terms),
      priority: ask.priority ?? row.priority,
      ...validWindow(
        ask.startsAt === undefined ? row.startsAt : ask.startsAt,
        ask.endsAt === undefined ? row.endsAt : ask.endsAt,
      ),
      effectiveFrom,
    },
    configVersion,
    door.now,
  )
  if (row.status !== 'draft') await tellPublished(tx, row.id, version, door)
  return await getRule(tx, ref)
}

export type RuleTurn = 'publish' | 'pause' | 'resume' | 'archive'

/** Where each turn leads, and from where it may be taken. */
const TURNS: Record<RuleTurn, { to: RuleStatus; from: readonly RuleStatus[] }> = {
  publish: { to: 'active', from: ['draft'] },
  pause: { to: 'paused', from: ['active'] },
  resume: { to: 'active', from: ['paused'] },
  archive: { to: 'archived', from: ['draft', 'active', 'paused'] },
}

/** Holds from the next request. Twice is once. Refusals: rule_unknown, rule_state. */
export async function turnRule(tx: Tx, ref: string, turn: RuleTurn, door: Door): Promise<RuleAnswer> {
  const configVersion = await nextConfigVersion(tx)
  const row = await ruleRow(tx, ref)
  const { to, from } = TURNS[turn]
  if (row.status !== to) {
    if (!from.includes(row.status))
      throw stateRefusal(
        row,
        { publish: 'be published', pause: 'be paused', resume: 'be resumed', archive: 'be archived' }[turn],
      )
    await insertState(tx, row.ruleId, configVersion, to, door.now)
    if (turn === 'publish') await tellPublished(tx, row.id, row.version, door)
  }
  return await getRule(tx, ref)
}

/** A budget in money is as many points as it buys: what does not cost itself has a price. */
async function requirePrice(tx: Tx, walletId: number, { budget }: RuleTerms): Promise<void> {
  if (budget?.money === undefined || budget.pointCost !== undefined) return
  if ((await selectWalletUnit(tx, walletId)) === 'money') return
  throw invalid([{ pointer: '/budget/pointCost', detail: 'is required with money, unless the wallet holds money' }])
}

/** A slip of the pen would make a rule that never gives, or points that never begin. */
async function requireActivities(tx: Tx, programId: number, { on, pending }: RuleTerms): Promise<void> {
  const named = [
    ...(on?.event === 'activity' ? [{ pointer: '/on/activity', slug: on.activity }] : []),
    ...(pending?.kind === 'event' ? [{ pointer: '/pending/activity', slug: pending.activity }] : []),
  ]
  if (named.length === 0) return
  const known = await selectSlugs(tx, programId)
  const errors = named
    .filter(({ slug }) => !known.has(slug))
    .map(({ pointer, slug }) => ({ pointer, detail: `the program has no type of activity "${slug}"` }))
  if (errors.length > 0) throw invalid(errors)
}

async function tellPublished(tx: Tx, rule: Uuid, version: number, door: Door): Promise<void> {
  await appendEvents(tx, door.newId(), door.now, [{ type: 'rule.published', data: { rule, version } }])
}

function stateRefusal(row: RuleRow, what: string): Refused {
  return new Refused(
    'rule_state',
    `the rule "${row.name}" is ${row.status === 'draft' ? 'a draft' : row.status}: it cannot ${what}`,
  )
}

function validArgs(kind: string, args: unknown, terms: RuleTerms): Record<string, unknown> {
  const errors = [...checkTerms(kind, terms), ...checkArgs(kind, args, terms)]
  if (errors.length > 0) throw invalid(errors)
  return args as Record<string, unknown>
}

/** The terms after a change: what was left out stays, null is taken away. */
function patched(before: RuleTerms, ask: TermsPatch): RuleTerms {
  const terms: Record<string, unknown> = { ...before }
  for (const term of CHANGEABLE) {
    if (ask[term] === null) delete terms[term]
    else if (ask[term] !== undefined) terms[term] = ask[term]
  }
  return terms
}

/** One at a time: the configuration version is locked. */
async function requireGroup(
  tx: Tx,
  programId: number,
  kind: string,
  terms: RuleTerms,
  self: Uuid | null,
): Promise<void> {
  if (terms.group === undefined) return
  const errors = checkGroup(kind, terms, await selectGroup(tx, programId, terms.group.name, self))
  if (errors.length > 0) throw invalid(errors)
}

/** Half-open, so it must not be empty. */
function validWindow(
  startsAt: Instant | null,
  endsAt: Instant | null,
): { startsAt: Instant | null; endsAt: Instant | null } {
  if (startsAt !== null) checkInstant('/startsAt', startsAt)
  if (endsAt !== null) checkInstant('/endsAt', endsAt)
  if (startsAt !== null && endsAt !== null && startsAt >= endsAt) {
    throw invalid([{ pointer: '/endsAt', detail: 'must be after startsAt' }])
  }
  return { startsAt, endsAt }
}

/** Later or much earlier, microseconds would not be exact (contract/instants.ts). */
function checkInstant(pointer: string, at: Instant): void {
  if (!Number.isSafeInteger(at))
    throw invalid([{ pointer, detail: 'must lie between 1685 and 2255; for no bound, leave it out' }])
}

function invalid(errors: FieldError[]): Refused {
  return new Refused('invalid_request', 'the rule does not have the expected shape', errors)
}
