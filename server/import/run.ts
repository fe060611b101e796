import { decodeId } from '@laurel/contract/ids'
import type { Ask, Outcome, ReturnAsk } from '@laurel/engine/gate/asks'
import { laneOf } from '@laurel/engine/gate/names'
import { purchases, type Survey, survey } from './arrange.ts'
import { feeder } from './feed.ts'
import { type Known, known } from './known.ts'
import type { ImportMap } from './map.ts'
import { Outage, patientAsker } from './patience.ts'
import { planFor, type Fault } from './plan.ts'
import type { Progress } from './progress.ts'
import type { RefusedFile } from './refused.ts'
import type { Row, Source } from './rows.ts'
import { spill } from './spill.ts'
import { add, emptyTally, sum, type Tally } from './tally.ts'

export type ImportOptions = {
  path: string
  map: ImportMap
  program: string
  /** Asks the engine; undefined for a dry run. */
  submit: ((ask: Ask) => Promise<Outcome>) | undefined
  refused: RefusedFile
  progress: Progress
  /** Stops feeding; what is under way is answered, and the tally says where it stopped. */
  stop?: AbortSignal
  underWayMax?: number
  /** How long an ask that the server cannot take now is tried again. */
  patienceMs?: number
}

/** Purchases and returns under way at once. */
const UNDER_WAY_MAX = 1_000

type Asked = Extract<Ask, { verb: 'purchase' | 'keep' | 'return' }>
type Piece = { ask: Asked; lines: number[] }
type Answer = {
  /** null: the purchase is kept without one */
  member: string | null
  points: number
  unmatched?: { quantity: number }[]
  reversed?: { writtenOff: number; gone?: number }[]
}
type Running = ImportOptions & {
  tally: Tally
  startedMs: number
  bought: Known
  asker: ReturnType<typeof patientAsker>
  enrolled: Known
  postponed: ReturnType<typeof spill>
  source: Source
}

/**
 * Imports a file of purchases and returns. Each is known by its external id, so that a second run finds what is there
 * and changes nothing, and a run after a killed one goes on where that ended, with the same end.
 *
 * Returns that stand before the first purchase of their customer, and those of customers who are no members, are asked
 * after everything else: the purchases that enrol them may come later in the file, while a second run finds them
 * enrolled from the beginning, and both must end alike. That such a return takes nothing from purchases made
 * after it is the engine's rule.
 */
export async function importPurchases(options: ImportOptions): Promise<Tally> {
  const tally = emptyTally()
  const startedMs = Date.now()
  const source: Source = { path: options.path, file: options.map.file }
  const running: Running = {
    ...options,
    tally,
    startedMs,
    bought: known(),
    asker: patientAsker(() => {
      tally.faults += 1
    }, options.patienceMs),
    enrolled: known(),
    postponed: spill(),
    source,
  }
  const surveyed = await look(running)
  try {
    tally.rows = surveyed.rows
    tally.skipped = surveyed.skipped
    await feedAll(running, surveyed)
  } finally {
    options.progress.end()
    await surveyed.close()
    await running.postponed.close()
    tally.membersEnrolled = running.enrolled.size
    tally.seconds = (Date.now() - startedMs) / 1000
  }
  return tally
}

async function look({ source, map, program, progress }: Running): Promise<Survey> {
  const onRead = (r: { bytes: number; size: number }) =>
    progress.show({ doing: 'Reading', rows: 0, share: r.bytes / r.size })
  return await survey({ ...source, onRead }, (header) => planFor(map, header, program))
}

async function feedAll(running: Running, surveyed: Survey): Promise<void> {
  const { tally, stop, progress } = running
  const feed = feeder(running.underWayMax ?? UNDER_WAY_MAX)
  const doing = running.submit ? 'Importing' : 'Checking'
  const seen = () => {
    const rows = tally.taken + sum(tally.refused) + sum(tally.skipped) + tally.returns.rowsOfUnknownMembers
    progress.show({ doing, rows, total: surveyed.rows, share: 0 })
  }
  let line = 1
  try {
    for await (const found of purchases(running.source, surveyed)) {
      line = found.kind === 'fault' ? found.fault.line : (found.rows[0]?.line ?? line)
      if (stop?.aborted) break
      if (found.kind === 'fault') refuse(running, '', [found.fault])
      else {
        const piece = await assemble(running, surveyed, found.number, found.rows)
        if (piece)
          await feed.offer({
            member: laneOf(piece.ask),
            isReturn: piece.ask.verb === 'return',
            run: () => take(running, piece),
          })
      }
      seen()
    }
    await feed.drain()
    for await (const { text } of running.postponed.sorted()) {
      if (stop?.aborted) break
      const piece = JSON.parse(text) as Piece
      await feed.offer({ member: laneOf(piece.ask), isReturn: true, run: () => take(running, piece, true) })
    }
  } catch (error) {
    if (!(error instanceof Outage)) throw error
    tally.stopped = { line, why: error.message }
  } finally {
    await feed.drain().catch(() => {}) // what failed is on its way up already
  }
  if (stop?.aborted) tally.stopped = { line, why: 'it was asked to' }
}

/** What is to be asked now; undefined when the rows are refused, or when it is to be asked later or not at all. */
async function assemble(
  running: Running,
  { plan }: Survey,
  number: string,
  rows: readonly Row[],
): Promise<Piece | undefined> {
  const { tally } = running
  const assembled = plan.assemble(number, rows)
  if ('faults' in assembled) {
    refuse(running, number, assembled.faults)
    return undefined
  }
  const { ask } = assembled
  if (ask.verb !== 'return') tally.purchases.found += 1
  else {
    tally.returns.found += 1
    tally.returns.units += unitsOf(ask)
  }
  if (!running.submit) {
    tally.taken += rows.length
    if (ask.member !== undefined) running.enrolled.add(ask.member)
    return undefined
  }
  const piece = { ask, lines: rows.map((row) => row.line) }
  if (ask.verb === 'purchase') running.bought.add(ask.member)
  else if (ask.verb === 'return' && !running.bought.has(laneOf(ask))) return await postpone(running, piece)
  return piece
}

async function postpone({ postponed }: Running, piece: Piece): Promise<undefined> {
  await postponed.put(piece.lines[0] ?? 0, JSON.stringify(piece))
}

function unitsOf(ask: ReturnAsk): number {
  return ask.items === 'all' ? 0 : ask.items.reduce((units, item) => units + item.quantity, 0)
}

function refuse({ tally, refused }: Running, number: string, faults: readonly Fault[]): void {
  for (const { code } of faults) add(tally.refused, code, 1)
  refused.add(number, faults)
}

/** Asks, and counts the answer. */
async function take(running: Running, piece: Piece, again = false): Promise<void> {
  const { tally } = running
  const { ask, lines } = piece
  const outcome = await running.asker(async () => await running.submit?.(ask))
  if (outcome.status < 400) {
    tally.taken += lines.length
    if (ask.verb !== 'return') countPurchase(running, outcome)
    else countReturn(running, outcome)
    return
  }
  const { code, detail } = JSON.parse(outcome.body) as { code: string; detail: string }
  const faults = lines.map((line) => ({ line, code, reason: detail }))
  if (ask.verb === 'return' && code === 'member_unknown') {
    if (!again) return await postpone(running, piece)
    tally.returns.ofUnknownMembers += 1
    tally.returns.rowsOfUnknownMembers += lines.length
    tally.returns.unitsUnmatched += unitsOf(ask)
    running.refused.add(ask.externalId, faults)
    return
  }
  if (ask.verb !== 'return') tally.purchases.refused += 1
  else tally.returns.refused += 1
  refuse(running, ask.externalId, faults)
}

function countPurchase({ tally, startedMs, enrolled }: Running, { status, body }: Outcome): void {
  const { member, points } = JSON.parse(body) as Answer
  if (status === 201) {
    tally.purchases.recorded += 1
    tally.purchases.points += points
    if (member === null) tally.purchases.unclaimed += 1
    else if (bornMs(member) >= startedMs) enrolled.add(member)
  } else {
    tally.purchases.alreadyThere += 1
    tally.purchases.pointsAlreadyThere += points
  }
}

function countReturn({ tally }: Running, { status, body }: Outcome): void {
  const { points, unmatched = [], reversed = [] } = JSON.parse(body) as Answer
  for (const { quantity } of unmatched) tally.returns.unitsUnmatched += quantity
  if (status === 201) {
    tally.returns.recorded += 1
    tally.returns.points += points
    for (const { writtenOff, gone = 0 } of reversed) {
      tally.returns.writtenOff += writtenOff
      tally.returns.gone += gone
    }
  } else {
    tally.returns.alreadyThere += 1
    tally.returns.pointsAlreadyThere += points
  }
}

/** Members' ids are UUIDs of version 7: they begin with the millisecond of the enrolment. */
function bornMs(member: string): number {
  const uuid = decodeId('mem', member)
  return uuid ? Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) : 0
}
