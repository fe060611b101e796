import type { CodePoolAnswer } from '@laurel/contract/code-pools'
import { decodeId } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { selectPools } from '../codes/configured.sql.ts'
import { poolAnswer } from '../codes/pools.ts'
import { type Configurations, program } from '../earning/configuration.ts'
import { currentConfiguration } from './current.ts'

/** Oldest first, of one program or of all. Refusals: invalid_cursor, program_unknown. */
export async function listPools(
  db: Db,
  known: Configurations,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<CodePoolAnswer>> {
  const programId = await programIdOf(db, known, filter.program)
  const after = page.after === undefined ? null : decodeId('cpl', page.after)
  const rows = after === undefined ? undefined : await selectPools(db, programId, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of pools of codes')
  return pageOf(rows, page.limit, poolAnswer, (pool) => pool.id)
}

/** Null where none is named. Refusals: program_unknown. */
export async function programIdOf(db: Db, known: Configurations, ref: string | undefined): Promise<number | null> {
  if (ref === undefined) return null
  const ours = program(await currentConfiguration(db, known), ref)
  if (!ours) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return ours.programId
}
