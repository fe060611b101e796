import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { LadderAnswer } from '@laurel/contract/tiers'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import {
  type LadderRow,
  type ProgramWords,
  selectLadders,
  selectLaddersNamed,
  selectLadderVersions,
  selectProgramWords,
} from './ladders.sql.ts'

/**
 * The ladder that is named by its id (ldr_…), or its slug where only one program has it, or the one that is told.
 * Refusals: tier_ladder_unknown, program_unknown.
 */
export async function ladderRow(db: Db, ref: string, program?: string): Promise<LadderRow> {
  const id = decodeId('ldr', ref)
  const programId = program === undefined ? null : (await programWords(db, program)).programId
  const [row, another] = await selectLaddersNamed(db, id === undefined ? { slug: ref } : { id }, programId)
  if (!row) throw new Refused('tier_ladder_unknown', `there is no ladder of tiers "${ref}"`)
  if (another) throw new Refused('tier_ladder_unknown', `several programs have a ladder "${ref}": name it by its id`)
  return row
}

/** The program and what a ladder of it may speak of. Refusals: program_unknown. */
export async function programWords(db: Db, ref: string): Promise<ProgramWords> {
  const id = decodeId('prg', ref)
  const words = await selectProgramWords(db, id === undefined ? { slug: ref } : { id })
  if (!words) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return words
}

/** A ladder with all its versions. Refusals: tier_ladder_unknown. */
export async function getLadder(db: Db, ref: string): Promise<LadderAnswer> {
  const row = await ladderRow(db, ref)
  const versions = await selectLadderVersions(db, row.ladderId)
  return {
    ...answerOf(row),
    versions: versions.map(({ version, terms, createdAt }) => ({
      version,
      ...terms,
      createdAt: formatInstant(createdAt),
    })),
  }
}

/** Oldest first, of one program or of all; archived ones too. Refusals: invalid_cursor, program_unknown. */
export async function listLadders(
  db: Db,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<LadderAnswer>> {
  const programId = filter.program === undefined ? null : (await programWords(db, filter.program)).programId
  const after = page.after === undefined ? null : decodeId('ldr', page.after)
  const rows = after === undefined ? undefined : await selectLadders(db, programId, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of ladders')
  return pageOf(rows, page.limit, answerOf, (ladder) => ladder.id)
}

function answerOf({ id, program, slug, status, version, terms, createdAt, updatedAt }: LadderRow): LadderAnswer {
  return {
    id: encodeId('ldr', id),
    program,
    slug,
    status,
    version,
    ...terms,
    createdAt: formatInstant(createdAt),
    updatedAt: formatInstant(updatedAt),
  }
}
