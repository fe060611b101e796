import { stat } from 'node:fs/promises'
import { LINES_MAX } from '@laurel/contract/purchases'
import { Fixable } from '../fault.ts'
import { known } from './known.ts'
import type { Fault, Plan } from './plan.ts'
import { ROW_CODES } from './row.ts'
import { readRows, type Row, type Source } from './rows.ts'
import { type Spill, spill } from './spill.ts'

/**
 * All rows of one number together, in the order in which numbers first appear, although rows of a number need not stand
 * together; and memory does not grow with the rows. The file is read twice. The first reading numbers the numbers,
 * notes of every run of rows with one number whether it is that number's first, and puts the rows of all later runs to disk,
 * sorted by number. The second reading meets the first runs in order, and merges the later rows in.
 *
 * In memory: 23 to 46 bytes a number during the first reading, a bit a run of rows after it.
 */
export type Survey = {
  header: string[]
  plan: Plan
  rows: number
  /** Rows left out, by reason. */
  skipped: Map<string, number>
  /** How many purchases and returns there are. */
  numbers: number
  /** What the index of the numbers took, in bytes. */
  indexBytes: number
  close(): Promise<void>
}

/** All rows of one number, in their order; or a row that belongs to none, or is one too many. */
export type Found = { kind: 'purchase'; number: string; rows: Row[] } | { kind: 'fault'; fault: Fault }

type Runs = { late: Uint8Array; count: number }
type Marked = Survey & { runs: Runs; later: Spill; version: string }

const NO_ROWS: Row[] = []

/** The first reading. Throws a Fixable for what makes the whole file unusable. */
export async function survey(source: Source, planOf: (header: string[]) => Plan, spillMax?: number): Promise<Survey> {
  const version = await versionOf(source.path)
  const numbers = known()
  const runs: Runs = { late: new Uint8Array(1 << 10), count: 0 }
  const later = spill(spillMax)
  const skipped = new Map<string, number>()
  let found: { header: string[]; plan: Plan } | undefined
  let rows = 0
  let current: string | undefined
  let place = { number: 0, fresh: true }
  for await (const batch of readRows(source)) {
    for (const row of batch) {
      if (!found) {
        const header = row.cells.map((name) => name.replace(/^\ufeff/, ''))
        found = { header, plan: planOf(header) }
        continue
      }
      rows += 1
      const glance = found.plan.glance(row.cells)
      if (glance.kind === 'skip') skipped.set(glance.reason, (skipped.get(glance.reason) ?? 0) + 1)
      if (glance.kind !== 'row') continue
      if (glance.purchase !== current) {
        current = glance.purchase
        place = numbers.add(current)
        mark(runs, !place.fresh)
      }
      if (!place.fresh) await later.put(place.number, JSON.stringify(row))
    }
  }
  if (!found) throw new Fixable(`${source.path} is empty: not even a header is in it.`)
  const marked: Marked = {
    ...found,
    rows,
    skipped,
    numbers: numbers.size,
    indexBytes: numbers.bytes,
    runs,
    later,
    version,
    close: () => later.close(),
  }
  return marked
}

/** The second reading: purchases in order, and rows that belong to none as faults. */
export async function* purchases(source: Source, surveyed: Survey): AsyncGenerator<Found> {
  const { plan, runs, later, version } = surveyed as Marked
  const late = later.sorted()
  let next = await late.next()
  let headerSeen = false
  let current: string | undefined
  let run = 0
  let ordinal = -1
  let gathering: Row[] = NO_ROWS

  /** Rows of the number that was gathered last which stand further down. */
  async function* finish(): AsyncGenerator<Found> {
    if (gathering === NO_ROWS || current === undefined) return
    const rows = gathering
    while (!next.done && next.value.by === ordinal) {
      yield* add(rows, JSON.parse(next.value.text) as Row)
      next = await late.next()
    }
    yield { kind: 'purchase', number: current, rows }
  }

  for await (const batch of readRows(source)) {
    for (const row of batch) {
      if (!headerSeen) {
        headerSeen = true
        continue
      }
      const glance = plan.glance(row.cells)
      if (glance.kind === 'fault')
        yield { kind: 'fault', fault: { line: row.line, code: glance.code, reason: glance.reason } }
      if (glance.kind !== 'row') continue
      if (glance.purchase !== current) {
        yield* finish()
        current = glance.purchase
        gathering = isLate(runs, run++) ? NO_ROWS : []
        if (gathering !== NO_ROWS) ordinal += 1
      }
      if (gathering !== NO_ROWS) yield* add(gathering, row)
    }
  }
  yield* finish()
  if (run !== runs.count || version !== (await versionOf(source.path))) {
    throw new Fixable(`${source.path} was changed while it was being read. Run the import again.`)
  }
}

/** One row more than a purchase may have tells that it has too many; those after it are not kept. */
function* add(rows: Row[], row: Row): Generator<Found> {
  if (rows.length <= LINES_MAX) rows.push(row)
  else yield { kind: 'fault', fault: { line: row.line, code: 'too_many_lines', reason: ROW_CODES.too_many_lines } }
}

function mark(runs: Runs, late: boolean): void {
  const at = runs.count >> 3
  if (at === runs.late.length) {
    const wider = new Uint8Array(runs.late.length * 2)
    wider.set(runs.late)
    runs.late = wider
  }
  if (late) runs.late[at] = (runs.late[at] as number) | (1 << (runs.count & 7))
  runs.count += 1
}

function isLate(runs: Runs, run: number): boolean {
  return (((runs.late[run >> 3] ?? 0) >> (run & 7)) & 1) === 1
}

/** Of a file: another when it was changed. Throws a Fixable where there is none. */
export async function versionOf(path: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Fixable(
      error.code === 'ENOENT' ? `There is no file ${path}.` : `The file ${path} cannot be read: ${error.message}`,
    )
  })
  return `${ino} ${size} ${mtimeMs}`
}
