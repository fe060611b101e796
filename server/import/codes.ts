import type pg from 'pg'
import { withTx } from '@laurel/engine/base/db'
import { plainCode } from '@laurel/engine/base/codes'
import type { Outcome } from '@laurel/engine/gate/asks'
import { isMoved, isOutage } from '@laurel/engine/gate/faults'
import { codeSaid, importCodes } from '@laurel/engine/import-codes'
import { patientAsker } from './patience.ts'
import type { Progress } from './progress.ts'
import type { RefusedFile } from './refused.ts'
import { columnsOf, rowRefusal } from './row.ts'
import { importTable, type Line, type ReadPlan, refuse, type TableTally } from './table.ts'
import type { Counted } from './table-tally.ts'
import { add } from './tally.ts'

export type CodesOptions = {
  path: string
  /** The header of the column that they are in. */
  column: string
  /** The pool (cpl_…) that they go into; undefined for a dry run. */
  into: { pool: pg.Pool; space: number; codes: string } | undefined
  refused: RefusedFile
  progress: Progress
  stop?: AbortSignal | undefined
  patienceMs?: number
}

/** A pool is held while so many are written: some milliseconds. */
const AT_ONCE = 1_000

export const CODES_COUNTED: readonly Counted[] = [
  { count: 'added', words: 'codes added', changes: true },
  { count: 'known', words: 'already there', note: 'in this pool' },
]

/**
 * Imports a file of codes into a pool, in the order of the file. A code that the pool has is left alone, so that a second run changes
 * nothing; one that another pool has is refused.
 */
export async function importCodesFile(options: CodesOptions): Promise<TableTally> {
  const { path, into } = options
  let batch: Line<string>[] = []
  let asker: ReturnType<typeof patientAsker> | undefined
  const flush = async (tally: TableTally) => {
    const lines = batch
    batch = []
    asker ??= patientAsker(() => {
      tally.faults += 1
    }, options.patienceMs)
    if (lines.length > 0) await take(options, tally, asker, lines)
  }
  return await importTable<string>({
    source: { path, file: undefined },
    planOf: (header) => codesPlan(options.column, header),
    put: into && (async (tally, line) => void (batch.push(line) === AT_ONCE && (await flush(tally)))),
    end: flush,
    refused: options.refused,
    progress: options.progress,
    stop: options.stop,
  })
}

function codesPlan(column: string, header: readonly string[]): ReadPlan<string> {
  const cell = columnsOf(header)(column)
  return (cells) => {
    if (cells.length !== header.length) {
      const reason = `${cells.length} cells, where the header has ${header.length}`
      return { kind: 'fault', no: rowRefusal('row_ragged', reason) }
    }
    const said = codeSaid(cell(cells))
    if ('reason' in said) return { kind: 'fault', no: rowRefusal('code_invalid', `the code ${said.reason}`) }
    return { kind: 'item', key: plainCode(said.code.code), item: said.code.code }
  }
}

async function take(
  options: CodesOptions,
  tally: TableTally,
  ask: ReturnType<typeof patientAsker>,
  lines: readonly Line<string>[],
): Promise<void> {
  const { status, body } = await ask(() => attempt(options, lines))
  if (status >= 400) {
    for (const { key, line } of lines)
      refuse(options, tally, key, line, { code: 'fault', reason: "a fault of Laurel's own" })
    return
  }
  const { added, known, refused } = JSON.parse(body) as Awaited<ReturnType<typeof importCodes>>
  add(tally.counts, 'added', added)
  add(tally.counts, 'known', known)
  tally.taken += added + known
  for (const { index, reason } of refused) {
    const line = lines[index]
    if (line) refuse(options, tally, line.key, line.line, { code: 'code_elsewhere', reason })
  }
}

async function attempt({ into }: CodesOptions, lines: readonly Line<string>[]): Promise<Outcome> {
  if (!into) throw new Error('a dry run stores nothing')
  try {
    const told = await withTx(into.pool, into.space, (tx) =>
      importCodes(
        tx,
        into.codes,
        lines.map(({ item }) => item),
      ),
    )
    return { status: 200, body: JSON.stringify(told), replayed: false }
  } catch (error) {
    if (!isOutage(error as Error) && !isMoved(error as Error)) throw error
    return { status: 503, body: JSON.stringify({ detail: 'the database cannot be reached' }), replayed: false }
  }
}
