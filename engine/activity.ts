import type { Uuid } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { type Activity, activityContent, sortedJson } from './activities/activities.rules.ts'
import { eventOfActivity } from './activities/moments.rules.ts'
import { dataFaults } from './activities/schemas.rules.ts'
import { digestOf } from './base/keys.ts'
import { type Configuration, type Program, program, programById } from './earning/configuration.ts'
import { award } from './earning/earning.rules.ts'
import { activityType } from './earning/listening.ts'
import type { CompiledRule } from './earning/question.ts'
import { activityQuestion, type Done, rulesFor } from './gate/activities.ts'
import { activityText, type WalletAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { ActivityAsk, Facts } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { badInstant } from './gate/checks.ts'
import { lotDates } from './gate/dates.ts'
import { type Changes, type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { bookedDigest } from './gate/digests.ts'
import { changesOf, type Limiting, limitsFor, needLimits } from './gate/limits.ts'
import { activityKey, momentKey } from './gate/names.ts'
import { frozenText, withTiers } from './gate/questions.ts'
import { findMember, type Slices } from './gate/slices.ts'
import { tiersAt } from './gate/tiers.ts'
import { activateWaiting, mayWait } from './gate/waiting.ts'
import type { MemberState, Why } from './ledger/books.ts'
import { credit, touch } from './ledger/ledger.rules.ts'

/**
 * What happens when a member does something besides buying, or a moment of its life comes: the activity is stored, rules give
 * points, what waited for it is activated, the world is told. A repeat (the same external id and content) answers the stored one, with 200.
 * Refusals: invalid_request (the data, too), program_unknown, program_paused, activity_type_unknown, activity_type_archived,
 * member_unknown, member_suspended, amount_out_of_range, external_id_conflict.
 */
export const activity: Verb<ActivityAsk> = {
  name: (ask) =>
    ask.moment ? momentKey(ask.program, ask.member, ask.type, ask.externalId) : activityKey(ask.externalId),

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.activities.push({ member: before.member, id: before.object })
    const { configuration } = slices
    const ours = program(configuration, ask.program)
    const member = findMember(slices, facts.member)
    if (!ours || !member) return
    if (mayWait(configuration, ours, ask.type)) needs.lots.add(member.member)
    const rules = rulesFor(configuration, ours.programId, configuration.configVersion, doneOf(ask))
    const event = eventOfActivity(ask.type, ask.data)
    needLimits(needs, configuration, ours, rules, { event, member: member.member, at: ask.occurredAt })
  },

  decide(slices, ask, facts) {
    const { configuration } = slices
    const ours = program(configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const member = findMember(slices, facts.member)
    const data = sortedJson(ask.data)
    const content = activityContent(ours.programId, ask.type, ask.occurredAt, data)
    const before = slices.names.get(facts.name ?? '')
    if (before) return repeat(slices, before.object ?? '', content, member, facts)

    const checked = check(configuration, ours, ask, member, facts)
    if (isRefusal(checked)) return checked
    const { state, version, rules } = checked
    const opened = openBooks(slices, state, facts)
    const first = opened.books.state.entrySeq + 1
    const limiting = limitingOf(slices, ours, rules, ask, state, facts)
    const tiers = tiersAt(slices, state, ours, ask.occurredAt, facts)
    const frozen = withTiers(ours, limiting?.frozen ?? null, tiers && { ...tiers, bonuses: [] })
    const awards = award(rules, activityQuestion(ours, doneOf(ask), frozen))
    if (isRefusal(awards)) return awards
    const stored: Activity = {
      member: state.member,
      id: facts.id,
      programId: ours.programId,
      type: ask.type,
      version,
      configVersion: configuration.configVersion,
      occurredAt: ask.occurredAt,
      recordedAt: facts.now,
      digest: digestOf(`${state.member}|${content}`),
      externalId: ask.externalId,
      data,
      awards: awards.map((a, i) => [a.ruleVersionId, a.points, a.why, first + i]),
      frozen: frozenText(frozen),
    }
    const { books, events } = opened
    events.push(tell(books.state, EVENTS[ask.type] ?? 'activity.recorded', { activity: stored.id }))
    for (const a of awards) {
      const dates = lotDates(configuration, a.walletId, a.ruleVersionId, ask.occurredAt, facts.now, tiers?.expiry)
      const full = credit(books, a.walletId, a.points, whyOf(stored, facts, a.ruleVersionId), dates)
      if (full) return full
      events.push(tell(books.state, 'points.earned', { entry: books.state.entrySeq }))
    }
    if (!ask.moment) for (const { walletId } of ours.wallets) touch(books, walletId, ask.type, facts.now)
    const activated = activateWaiting(slices, ours, opened, stored, facts)
    settleBooks(opened, facts)
    const wallets = walletAnswers(configuration, books.state, ours.programId)
    return {
      status: 201,
      body: bodyOf(configuration, ours, stored, wallets, activated),
      changes: { ...changed(opened, stored, facts), limits: changesOf(slices, limiting, awards) },
    }
  },
}

/** What the world is told of a moment; joining was told when it happened, so that its activity is one like others. */
const EVENTS: Record<string, string> = {
  'member.birthday': 'member.birthday',
  'member.anniversary': 'member.anniversary',
  'member.profile_complete': 'member.profile_completed',
  'member.inactive': 'member.inactive',
}

type Checked = { state: MemberState; version: number; rules: CompiledRule[] }

function check(
  configuration: Configuration,
  ours: Program,
  ask: ActivityAsk,
  member: MemberState | undefined,
  facts: Facts,
): Checked | Refusal {
  if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
  const version = ask.moment ? 0 : accepts(configuration, ours, ask)
  if (typeof version === 'object') return version
  const bad = badInstant(ask.occurredAt, facts.now)
  if (bad) return bad
  if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
  if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: nothing was stored')
  const rules = rulesFor(configuration, ours.programId, configuration.configVersion, doneOf(ask))
  if (ask.moment && rules.length === 0) {
    return refusal('activity_type_unknown', `no rule of the program answers to ${ask.type}`)
  }
  return { state: member, version, rules }
}

/** The version of the type's schema that the data is held against. */
function accepts(configuration: Configuration, ours: Program, ask: ActivityAsk): number | Refusal {
  const type = activityType(configuration, ours.programId, ask.type)
  if (!type) {
    return refusal('activity_type_unknown', `the program "${ours.slug}" has no type of activity "${ask.type}"`)
  }
  if (type.status === 'archived') return refusal('activity_type_archived', `the type "${ask.type}" is archived`)
  const faults = dataFaults(type.schema, ask.data)
  if (faults.length > 0) return refusal('invalid_request', `the data is not as the type "${ask.type}" says`, faults)
  return type.version
}

/** As its rules see it. */
function doneOf({ type, data, occurredAt, moment }: ActivityAsk): Done {
  return { type, data, occurredAt, moment: moment === true }
}

function limitingOf(
  slices: Slices,
  ours: Program,
  rules: readonly CompiledRule[],
  ask: ActivityAsk,
  { member }: MemberState,
  { now }: Facts,
): Limiting | undefined {
  const event = eventOfActivity(ask.type, ask.data)
  return limitsFor(slices, ours, rules, { member, isNew: false, externalId: null }, { event, at: ask.occurredAt, now })
}

function whyOf(stored: Activity, facts: Facts, ruleVersionId: number): Why {
  return {
    kind: 'earn',
    source: stored.id,
    digest: bookedDigest(stored),
    occurredAt: stored.occurredAt,
    now: facts.now,
    ruleVersionId,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
}

function changed({ books, events }: Opened, stored: Activity, facts: Facts): Changes {
  const names = [{ key: facts.name ?? '', member: stored.member, object: stored.id, seq: null }]
  return { member: stored.member, at: facts.now, books, activity: stored, events, names }
}

function bodyOf(
  configuration: Configuration,
  ours: Program,
  stored: Activity,
  wallets: WalletAnswer[],
  activated: string[] = [],
): string {
  const told = activated.length === 0 ? '' : `,"activated":${JSON.stringify(activated)}`
  return `${activityText(configuration, ours, stored)}${told},"wallets":${JSON.stringify(wallets)}}`
}

function repeat(
  slices: Slices,
  id: Uuid,
  content: string,
  member: MemberState | undefined,
  facts: Facts,
): Decision | Refusal {
  const stored = slices.activities.get(id)
  const state = stored && findMember(slices, { id: stored.member })
  const ours = stored && programById(slices.configuration, stored.programId)
  if (!stored || !ours || !state) throw new Error(`activity ${id} is named but was not loaded`)
  if (member?.member !== state.member || stored.digest !== digestOf(`${stored.member}|${content}`)) {
    return refusal(
      'external_id_conflict',
      `the external id "${stored.externalId}" names an activity with other content`,
    )
  }
  const wallets = walletsNow(slices, state, ours.programId, facts.now)
  return { status: 200, body: bodyOf(slices.configuration, ours, stored, wallets) }
}
