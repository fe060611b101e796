import { LINES_MAX } from '@laurel/contract/purchases'
import type { KeepAsk, PurchaseAsk, ReturnAsk } from '@laurel/engine/gate/asks'
import type { ImportMap } from './map.ts'
import {
  badText,
  columnsOf,
  EXTERNAL_ID_MAX,
  headReader,
  isRowRefusal,
  type Line,
  ROW_CODES,
  type RowCode,
  rowReader,
  rowRefusal,
  type RowRefusal,
} from './row.ts'
import type { Row } from './rows.ts'
import { skipReader } from './skip.ts'

/** What is wrong with the row that begins on this line of the file. */
export type Fault = { line: number; code: string; reason: string }
/** How a row is to be taken, before its purchase is put together. */
export type Glance =
  | { kind: 'skip'; reason: string }
  | { kind: 'row'; purchase: string }
  | { kind: 'fault'; code: RowCode; reason: string }
export type Assembled = { ask: PurchaseAsk | KeepAsk | ReturnAsk } | { faults: Fault[] }

/** Rows → purchases and returns, as a map says. Pure: the same rows give the same asks in every run. */
export type Plan = {
  /** Which purchase the row belongs to, if it is not to be skipped. */
  glance(cells: readonly string[]): Glance
  /** What to ask for all the rows of one number, in their order; or what is wrong with each of them. */
  assemble(number: string, rows: readonly Row[]): Assembled
}

const GUEST = 'no member'

/** Throws a Fixable when the header lacks a column that the map names, or has it twice. */
export function planFor(map: ImportMap, header: readonly string[], program: string): Plan {
  const columns = columnsOf(header)
  const purchase = columns(map.purchase)
  const member = columns(map.member.column)
  const skipped = skipReader(map.skip, header, columns)
  const read = rowReader(map, columns)
  const head = headReader(map, columns)
  const ragged = (cells: readonly string[]) =>
    rowRefusal('row_ragged', `${cells.length} cells, where the header has ${header.length}`)

  function glance(cells: readonly string[]): Glance {
    const reason = skipped(cells)
    if (reason !== undefined) return { kind: 'skip', reason }
    if (map.guests === 'skip' && cells.length === header.length && member(cells) === '')
      return { kind: 'skip', reason: GUEST }
    const number = purchase(cells)
    if (number !== '') return { kind: 'row', purchase: number }
    const no =
      cells.length === header.length ? rowRefusal('purchase_missing', ROW_CODES.purchase_missing) : ragged(cells)
    return { kind: 'fault', ...no }
  }

  function assemble(number: string, rows: readonly Row[]): Assembled {
    const all = (no: RowRefusal) => ({ faults: rows.map(({ line }) => ({ line, ...no })) })
    if (rows.length > LINES_MAX) return all(rowRefusal('too_many_lines', ROW_CODES.too_many_lines))
    const bad = badNumber(number)
    if (bad) return all(bad)
    const faults: Fault[] = []
    const lines: Line[] = []
    for (const { line, cells } of rows) {
      const got = cells.length === header.length ? read(number, cells) : ragged(cells)
      if (isRowRefusal(got)) faults.push({ line, ...got })
      else lines.push(got)
    }
    const [first] = lines
    if (faults.length > 0 || !first || !rows[0]) return incomplete(rows, faults)
    const no = differing(first, lines)
    if (no) return all(no)
    const about = head(rows[0].cells)
    if (isRowRefusal(about)) return all(about)
    const common = { program, externalId: number, occurredAt: first.occurredAt }
    const items = lines.map((line) => line.item)
    if (first.member === undefined)
      return first.isReturn
        ? all(rowRefusal('guest_return', ROW_CODES.guest_return))
        : { ask: { verb: 'keep', ...common, currency: first.currency, ...about, items } }
    const member = `external:${first.member}`
    if (first.isReturn)
      return {
        ask: { verb: 'return', member, ...common, items: items.map(({ sku, quantity }) => ({ sku, quantity })) },
      }
    return { ask: { verb: 'purchase', member, ...common, currency: first.currency, ...about, items } }
  }
  return { glance, assemble }
}

function badNumber(number: string): RowRefusal | undefined {
  if (number.length > EXTERNAL_ID_MAX)
    return rowRefusal('text_too_long', `the number of the purchase has ${number.length} characters`)
  return badText('the number of the purchase', number)
}

/** What the rows of one purchase must have in common. */
function differing(first: Line, lines: readonly Line[]): RowRefusal | undefined {
  for (const line of lines) {
    if (line.member !== first.member)
      return rowRefusal('member_differs', `"${first.member ?? ''}" and "${line.member ?? ''}"`)
    if (line.currency !== first.currency)
      return rowRefusal('currency_differs', `"${first.currency}" and "${line.currency}"`)
    if (line.isReturn !== first.isReturn)
      return rowRefusal('quantity_sign', 'units both bought and returned under one number')
  }
  return undefined
}

/** All rows of a purchase are refused when one is: the others say because of which. */
function incomplete(rows: readonly Row[], faults: readonly Fault[]): { faults: Fault[] } {
  const own = new Map(faults.map((fault) => [fault.line, fault]))
  const because = `line ${faults[0]?.line} of this purchase is refused (${faults[0]?.code})`
  return { faults: rows.map(({ line }) => own.get(line) ?? { line, code: 'purchase_incomplete', reason: because }) }
}
