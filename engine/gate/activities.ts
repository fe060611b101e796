import { encodeId, type Uuid } from '@laurel/contract/ids'
import { type Activity, activityContent } from '../activities/activities.rules.ts'
import { eventOfActivity, isMoment } from '../activities/moments.rules.ts'
import { digestOf } from '../base/keys.ts'
import { NOBODY } from '../base/names.ts'
import { type Configuration, type Program, programById, rulesAt } from '../earning/configuration.ts'
import { award } from '../earning/earning.rules.ts'
import { momentRulesAt } from '../earning/listening.ts'
import type { CompiledRule, Question } from '../earning/question.ts'
import { KINDS } from '../ledger/accounts.ts'
import type { Entry } from '../ledger/books.ts'
import { isRefusal } from './decisions.ts'
import { activityKey, momentKey } from './names.ts'
import { bookedDigest } from './digests.ts'
import { type Frozen, frozenFacts } from './questions.ts'

/** An activity as its rules see it; `moment`: of a member's life. */
export type Done = { type: string; data: Record<string, unknown>; occurredAt: number; moment: boolean }

/** The rules that decide it, as configured at config version `asOf`. The same array for the same answer. */
export function rulesFor(c: Configuration, programId: number, asOf: number, done: Done): CompiledRule[] {
  const event = eventOfActivity(done.type, done.data)
  return (done.moment ? momentRulesAt : rulesAt)(c, programId, asOf, done.occurredAt, event)
}

/** What they are asked: at first, and when the activity is audited. */
export function activityQuestion(ours: Program, done: Done, frozen: Frozen | null): Question {
  return {
    event: eventOfActivity(done.type, done.data),
    lines: [],
    occurredAt: done.occurredAt,
    currency: ours.currency,
    activity: { type: done.type, data: done.data },
    ...frozenFacts(ours, frozen),
  }
}

/** A stored activity, as its rules saw it. */
export function doneBefore({ type, data, occurredAt, version }: Activity): Done {
  return { type, data: JSON.parse(data) as Record<string, unknown>, occurredAt, moment: version === 0 }
}

/** The key of the name that leads to it: its external id, or of which moment it is. */
export function nameOfActivity(c: Configuration, a: Activity): Uuid {
  if (!isMoment(a.type)) return activityKey(a.externalId)
  const program = programById(c, a.programId)
  return momentKey(encodeId('prg', program?.id ?? NOBODY), encodeId('mem', a.member), a.type, a.externalId)
}

/** What is wrong with a stored activity: against its content, the rules, and the entries that have it as their source. */
export function auditActivity(c: Configuration, a: Activity, entries: readonly Entry[]): string | undefined {
  const program = programById(c, a.programId)
  if (!program) return 'its program is not stored'
  if (a.digest !== digestOf(`${a.member}|${activityContent(a.programId, a.type, a.occurredAt, a.data)}`)) {
    return 'its content is not what was recorded'
  }
  const type = c.activityTypes.find(({ programId, slug }) => programId === a.programId && slug === a.type)
  if (a.version > (type?.version ?? 0)) return 'there is no such version of its type' // 0: a moment, which has none
  const done = doneBefore(a)
  const frozen = a.frozen === null ? null : (JSON.parse(a.frozen) as Frozen)
  const decided = award(rulesFor(c, a.programId, a.configVersion, done), activityQuestion(program, done, frozen))
  if (isRefusal(decided)) return 'its rules refuse it'
  if (decided.map((d) => `${d.ruleVersionId} ${d.points}`).join() !== a.awards.map(([v, n]) => `${v} ${n}`).join())
    return 'its rules give other awards'
  const made = entries
    .filter((e) => e.kind === KINDS.earn.code)
    .map((e) => `${e.seq} ${e.ruleVersionId} ${e.points} ${e.digest}`)
  const due = a.awards.map(([version, points, , seq]) => `${seq} ${version} ${points} ${bookedDigest(a)}`)
  if (made.join() !== due.join()) return 'its awards are not what its entries gave'
  return entries.some((e) => e.kind === KINDS.earn.code && e.bookedAt !== a.recordedAt)
    ? 'it was not recorded when its entries were booked'
    : undefined
}
