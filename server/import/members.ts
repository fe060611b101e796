import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { withTx } from '@laurel/engine/base/db'
import { changeMember } from '@laurel/engine/change-member'
import type { Outcome } from '@laurel/engine/gate/asks'
import { isMoved, isOutage } from '@laurel/engine/gate/faults'
import { importMembers, type MemberOutcome, type MemberRow, patchOf } from '@laurel/engine/import-members'
import { refusalAnswer } from '../problems.ts'
import type { MembersMap } from './members-map.ts'
import { membersPlan } from './members-plan.ts'
import { patientAsker } from './patience.ts'
import type { Progress } from './progress.ts'
import type { RefusedFile } from './refused.ts'
import { importTable, type Line, refuse, type TableTally } from './table.ts'
import type { Counted } from './table-tally.ts'
import { add } from './tally.ts'

export type MembersOptions = {
  path: string
  map: MembersMap
  /** Where members are stored; undefined for a dry run. */
  into: { pool: pg.Pool; space: number; newId: () => Uuid } | undefined
  /** Of whom is there and says something else: changed rather than refused. */
  update: boolean
  refused: RefusedFile
  progress: Progress
  stop?: AbortSignal | undefined
  patienceMs?: number
}

const AT_ONCE = 500
/** A batch whose names were taken by others meanwhile is looked at again so often. */
const TRIES_MAX = 10

export const MEMBERS_COUNTED: readonly Counted[] = [
  { count: 'enrolled', words: 'members enrolled', changes: true },
  { count: 'updated', words: 'members changed', changes: true },
  { count: 'alreadyThere', words: 'already there', note: 'and nothing else is said of them' },
]

/**
 * Imports a file of members. Each is known by its external id: who is there already, and of whom the file says nothing else, is left
 * alone; who differs is refused (member_changed), or changed where that is asked for. A second run changes nothing.
 */
export async function importMembersFile(options: MembersOptions): Promise<TableTally> {
  const { path, map, into } = options
  let batch: Line<MemberRow>[] = []
  let asker: Asker | undefined
  const flush = async (tally: TableTally) => {
    const lines = batch
    batch = []
    asker ??= patientAsker(() => {
      tally.faults += 1
    }, options.patienceMs)
    if (lines.length > 0) await take(options, tally, asker, lines)
  }
  return await importTable<MemberRow>({
    source: { path, file: map.file },
    planOf: (header) => membersPlan(map, header, Date.now() * 1000),
    put: into && (async (tally, line) => void (batch.push(line) === AT_ONCE && (await flush(tally)))),
    end: flush,
    refused: options.refused,
    progress: options.progress,
    stop: options.stop,
  })
}

async function take(
  options: MembersOptions,
  tally: TableTally,
  ask: Asker,
  lines: readonly Line<MemberRow>[],
): Promise<void> {
  const outcomes = await decided(options, ask, lines)
  const differing: { line: Line<MemberRow>; fields: string[] }[] = []
  for (const [i, line] of lines.entries()) {
    const outcome = outcomes[i]
    if (outcome?.kind === 'differs') differing.push({ line, fields: outcome.fields })
    else if (outcome?.kind === 'refused')
      refuse(options, tally, line.key, line.line, { code: outcome.refusal.code, reason: outcome.refusal.detail })
    else if (outcome) count(tally, outcome.kind === 'created' ? 'enrolled' : 'alreadyThere')
    else refuse(options, tally, line.key, line.line, { code: 'fault', reason: "a fault of Laurel's own" })
  }
  if (options.update) await Promise.all(differing.map(({ line }) => change(options, tally, ask, line)))
  else
    for (const { line, fields } of differing)
      refuse(options, tally, line.key, line.line, {
        code: 'member_changed',
        reason: `the member is there, with other content (${fields.join(', ')}); --update changes it`,
      })
}

function count(tally: TableTally, what: string): void {
  tally.taken += 1
  add(tally.counts, what, 1)
}

type Asker = ReturnType<typeof patientAsker>

/** All of them in one transaction; when that meets a fault, one by one, so that one row spoils no other. */
async function decided(
  options: MembersOptions,
  ask: Asker,
  lines: readonly Line<MemberRow>[],
): Promise<(MemberOutcome | undefined)[]> {
  let outcomes: MemberOutcome[] | undefined
  const { status } = await ask(async () => {
    const attempted = await attempt(options, lines)
    if (!attempted) return UNAVAILABLE
    outcomes = attempted
    return DONE
  })
  if (outcomes && status === DONE.status) return outcomes
  if (lines.length === 1) return [undefined]
  const each: (MemberOutcome | undefined)[] = []
  for (const line of lines) each.push(...(await decided(options, ask, [line])))
  return each
}

const DONE: Outcome = { status: 200, body: '{}', replayed: false }
const UNAVAILABLE: Outcome = {
  status: 503,
  body: JSON.stringify({ detail: 'the database cannot be reached' }),
  replayed: false,
}

/** Nothing while the database cannot be reached. */
async function attempt(
  { into }: MembersOptions,
  lines: readonly Line<MemberRow>[],
): Promise<MemberOutcome[] | undefined> {
  if (!into) throw new Error('a dry run stores nothing')
  for (let tries = 1; ; tries++) {
    try {
      const door = { now: Date.now() * 1000, newId: into.newId }
      return await withTx(into.pool, into.space, (tx) =>
        importMembers(
          tx,
          lines.map(({ item }) => item),
          door,
        ),
      )
    } catch (error) {
      if (isOutage(error as Error)) return undefined
      if (!isMoved(error as Error) || tries === TRIES_MAX) throw error
    }
  }
}

async function change(options: MembersOptions, tally: TableTally, ask: Asker, line: Line<MemberRow>): Promise<void> {
  const { into } = options
  if (!into) return
  const { status, body } = await ask(async () => {
    try {
      const door = { now: Date.now() * 1000, newId: into.newId }
      const name = `external:${line.item.body.externalId}`
      await withTx(into.pool, into.space, (tx) => changeMember(tx, name, patchOf(line.item), undefined, door))
      return DONE
    } catch (error) {
      if (error instanceof Refused) return { ...refusalAnswer(error.refusal), replayed: false }
      if (isOutage(error as Error)) return UNAVAILABLE
      throw error
    }
  })
  if (status < 400) return count(tally, 'updated')
  const { code, detail } = JSON.parse(body) as { code: string; detail: string }
  refuse(options, tally, line.key, line.line, { code, reason: detail })
}
