import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import type { ProgramAnswer } from '@laurel/contract/programs'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type ProgramRow, selectProgram, selectPrograms } from './programs.sql.ts'

/** A program with the revision that guards changes to it (its ETag). */
export type Revised = { program: ProgramAnswer; revision: number }

function revised({ id, createdAt, updatedAt, revision, ...said }: ProgramRow): Revised {
  const program = {
    id: encodeId('prg', id),
    ...said,
    createdAt: formatInstant(createdAt),
    updatedAt: formatInstant(updatedAt),
  }
  return { program, revision }
}

/** The program that is named by slug or id. Refusals: program_unknown. */
export async function programRow(db: Db, ref: string): Promise<ProgramRow> {
  const id = decodeId('prg', ref)
  const row = await selectProgram(db, id === undefined ? { slug: ref } : { id })
  if (!row) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return row
}

/** Refusals: program_unknown. */
export async function getProgram(db: Db, ref: string): Promise<Revised> {
  return revised(await programRow(db, ref))
}

/** Oldest first. Refusals: invalid_cursor. */
export async function listPrograms(
  db: Db,
  page: { after?: string | undefined; limit: number },
): Promise<{ data: ProgramAnswer[]; next: string | null }> {
  const after = page.after === undefined ? null : decodeId('prg', page.after)
  const rows = after === undefined ? undefined : await selectPrograms(db, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of programs')
  const data = rows.slice(0, page.limit).map((row) => revised(row).program)
  return { data, next: rows.length > page.limit ? (data.at(-1)?.id ?? null) : null }
}
