import { Fixable } from '../fault.ts'
import { versionOf } from './arrange.ts'
import { known } from './known.ts'
import { Outage } from './patience.ts'
import type { Progress } from './progress.ts'
import type { RefusedFile } from './refused.ts'
import { ROW_CODES, type RowRefusal } from './row.ts'
import { readRows, type Source } from './rows.ts'
import { add, sum } from './tally.ts'

/** What a row of a file says in which every row stands for itself; `key`: its own name, of which one row counts. */
export type ReadRow<T> =
  | { kind: 'skip'; reason: string }
  | { kind: 'fault'; no: RowRefusal }
  | { kind: 'item'; key: string; item: T }
export type ReadPlan<T> = (cells: readonly string[]) => ReadRow<T>
/** Something a row says, on its way. */
export type Line<T> = { line: number; key: string; item: T }

/** What an import of such a file has done so far. Rows add up: taken + skipped + refused = rows. */
export type TableTally = {
  rows: number
  /** Rows of which all that they say is stored now, by this run or an earlier one. */
  taken: number
  skipped: Map<string, number>
  refused: Map<string, number>
  /** By what became of them. */
  counts: Map<string, number>
  faults: number
  stopped?: { line: number; why: string }
  seconds: number
}

export type TableOptions<T> = {
  source: Source
  planOf: (header: readonly string[]) => ReadPlan<T>
  /** Takes what rows say; undefined for a dry run. Called in the order of the file, and not again before it resolves. */
  put: ((tally: TableTally, line: Line<T>) => Promise<void>) | undefined
  /** Resolves when all that was put is done. */
  end: (tally: TableTally) => Promise<void>
  refused: RefusedFile
  progress: Progress
  stop?: AbortSignal | undefined
}

/**
 * Imports a file in which every row stands for itself. It is read twice: once to see that all of it can be read, before anything is
 * stored. Of rows with one key the first counts, so that a second run ends like the first. In memory: a piece of the file, and
 * 23 to 46 bytes a row.
 */
export async function importTable<T>(options: TableOptions<T>): Promise<TableTally> {
  const startedMs = Date.now()
  const tally: TableTally = {
    rows: 0,
    taken: 0,
    skipped: new Map(),
    refused: new Map(),
    counts: new Map(),
    faults: 0,
    seconds: 0,
  }
  let line = 1
  try {
    const looked = await look(options)
    tally.rows = looked.rows
    line = await feed(options, looked, tally, (at) => (line = at))
    await options.end(tally)
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    await options.end(tally).catch(() => {}) // what is under way is answered first
    tally.stopped = { line, why: error.message }
  } finally {
    options.progress.end()
    tally.seconds = (Date.now() - startedMs) / 1000
  }
  if (options.stop?.aborted) tally.stopped = { line, why: 'it was asked to' }
  return tally
}

type Looked<T> = { plan: ReadPlan<T>; rows: number; version: string }

async function look<T>({ source, planOf, progress }: TableOptions<T>): Promise<Looked<T>> {
  const version = await versionOf(source.path)
  const onRead = (r: { bytes: number; size: number }) =>
    progress.show({ doing: 'Reading', rows: 0, share: r.bytes / r.size })
  let plan: ReadPlan<T> | undefined
  let rows = 0
  for await (const batch of readRows({ ...source, onRead })) {
    rows += batch.length
    if (!plan && batch[0]) plan = planOf(batch[0].cells.map((name) => name.replace(/^\ufeff/, '')))
  }
  if (!plan) throw new Fixable(`${source.path} is empty: not even a header is in it.`)
  return { plan, rows: rows - 1, version }
}

/** Gives the line that it came to. */
async function feed<T>(
  options: TableOptions<T>,
  { plan, rows, version }: Looked<T>,
  tally: TableTally,
  at: (line: number) => void,
): Promise<number> {
  const { source, put, stop, progress } = options
  const keys = known()
  let headerSeen = false
  let line = 1
  for await (const batch of readRows(source)) {
    for (const row of batch) {
      if (!headerSeen) {
        headerSeen = true
        continue
      }
      if (stop?.aborted) return line
      at((line = row.line))
      const read = plan(row.cells)
      if (read.kind === 'skip') add(tally.skipped, read.reason, 1)
      else if (read.kind === 'fault') refuse(options, tally, '', row.line, read.no)
      else if (!keys.add(read.key).fresh)
        refuse(options, tally, read.key, row.line, { code: 'row_repeated', reason: ROW_CODES.row_repeated })
      else if (put) await put(tally, { line: row.line, key: read.key, item: read.item })
      else tally.taken += 1
      progress.show({ doing: put ? 'Importing' : 'Checking', rows: done(tally), total: rows, share: 0 })
    }
  }
  if (version !== (await versionOf(source.path)))
    throw new Fixable(`${source.path} was changed while it was being read. Run the import again.`)
  return line
}

function done({ taken, skipped, refused }: TableTally): number {
  return taken + sum(skipped) + sum(refused)
}

/** `no.code`: of a row (row.ts) or of the engine. */
export function refuse(
  { refused }: Pick<TableOptions<unknown>, 'refused'>,
  tally: TableTally,
  key: string,
  line: number,
  no: { code: string; reason: string },
): void {
  add(tally.refused, no.code, 1)
  refused.add(key, [{ line, ...no }])
}
