import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { ProgramBody, ProgramPatch } from '@laurel/contract/programs'
import { Refused } from '@laurel/contract/refusals'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { getProgram, programRow, type Revised } from './programs/programs.ts'
import { insertProgram, updateProgram } from './programs/programs.sql.ts'
import { recountLadders } from './tiers/ladders.sql.ts'

/** What the door fixes: when it is, and where new ids come from. */
export type Door = { now: Instant; newId: () => Uuid }

/** A program starts active, with the wallet `points` and no rules. Refusals: already_exists (its slug is taken). */
export async function createProgram(tx: Tx, body: ProgramBody, door: Door): Promise<Revised> {
  await nextConfigVersion(tx)
  const id = door.newId()
  if (!(await insertProgram(tx, { id, ...body }, door.now))) {
    throw new Refused('already_exists', `there is a program "${body.slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another program' },
    ])
  }
  return await getProgram(tx, encodeId('prg', id))
}

/**
 * Changes what is given, where it differs from what is; `revision` is the one that the caller has seen, if it says so. In another time
 * zone other days count: its ladders of tiers have another version each, by which everybody is counted anew and nobody falls at once.
 * Refusals: program_unknown, etag_mismatch.
 */
export async function changeProgram(
  tx: Tx,
  ref: string,
  patch: ProgramPatch,
  revision: number | undefined,
  door: Door,
): Promise<Revised> {
  const configVersion = await nextConfigVersion(tx)
  const { id, ...row } = await programRow(tx, ref)
  if (revision !== undefined && revision !== row.revision) {
    throw new Refused('etag_mismatch', `the program "${row.slug}" was changed since it was read`)
  }
  const { name = row.name, timezone = row.timezone, joinPolicy = row.joinPolicy, claimDays = row.claimDays } = patch
  const same = name === row.name && timezone === row.timezone && joinPolicy === row.joinPolicy
  if (!same || claimDays !== row.claimDays) {
    await updateProgram(tx, id, { name, timezone, joinPolicy, claimDays }, door.now)
    if (timezone !== row.timezone) await recountLadders(tx, id, configVersion, door.now)
  }
  return await getProgram(tx, encodeId('prg', id))
}

/** The kill switch: from the next request no purchase of the program is taken. Twice is once. Refusals: program_unknown. */
export async function pauseProgram(tx: Tx, ref: string, door: Door): Promise<Revised> {
  return await turn(tx, ref, 'paused', door)
}

/** Refusals: program_unknown. */
export async function resumeProgram(tx: Tx, ref: string, door: Door): Promise<Revised> {
  return await turn(tx, ref, 'active', door)
}

async function turn(tx: Tx, ref: string, status: 'active' | 'paused', door: Door): Promise<Revised> {
  await nextConfigVersion(tx)
  const { id, ...row } = await programRow(tx, ref)
  if (row.status !== status) {
    await updateProgram(tx, id, { status }, door.now)
    const type = status === 'paused' ? 'program.paused' : 'program.resumed'
    await appendEvents(tx, door.newId(), door.now, [{ type, data: { program: id } }])
  }
  return await getProgram(tx, encodeId('prg', id))
}
