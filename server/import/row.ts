import { decimalsOf } from '@laurel/engine/base/currencies'
import { FREE_CHARACTERS_MAX } from '@laurel/contract/common'
import type { Instant } from '@laurel/contract/instants'
import { Fixable } from '../fault.ts'
import type { ColumnOrConstant, ImportMap } from './map.ts'
import { decimals, toInteger, toMinor } from './numbers.ts'
import { clock } from './times.ts'

/** Why a row is refused before anything is asked of the engine, whose own codes (contract/refusals.ts) join these. */
export const ROW_CODES = {
  row_ragged: 'The row has more or fewer cells than the header',
  text_invalid: "A cell that is needed holds a NUL, or bytes that are not of the file's encoding",
  text_too_long: 'A text is longer than Laurel keeps',
  purchase_missing: 'The number of the purchase is empty',
  member_missing: 'The member is empty, or not a whole number where the map says that it is one',
  guest_return: 'A return without a member does not say which purchase it is of: nobody knows what to take back',
  member_differs: 'Rows of one purchase name different members',
  currency_differs: 'Rows of one purchase are in different currencies',
  sku_missing: 'The SKU is empty',
  time_invalid: 'The time is not of the format that the map names',
  currency_missing: 'The currency is empty',
  quantity_invalid: 'The quantity is not a whole number, or zero',
  quantity_sign: 'The sign of the quantity does not go with the rest of the purchase or return',
  amount_invalid: 'The amount or price is not a number of the format that the map names',
  amount_negative: 'The amount or price is below zero',
  amount_out_of_range: 'The amount is beyond 2^53 − 1 minor units',
  too_many_lines: 'The purchase has more than 1,000 rows',
  external_id_missing: 'The external id is empty, or not a whole number where the map says that it is one',
  row_repeated: 'An earlier row has the same external id: that one counts',
  status_invalid: 'The status is none that the map, or Laurel, knows',
  member_invalid: 'A field of the member is not what it must be (its length, its form)',
  member_changed: 'The member is there, and the row says something else: --update changes it',
  number_invalid: 'A cell is not the number, or the yes or no, that the map says it is',
  wallet_missing: 'The wallet is empty',
  points_invalid: 'The points are not a whole number above zero and below 2^53',
  code_invalid: 'The code is empty, too long, or holds what cannot be printed',
  purchase_incomplete: 'Another row of this purchase is refused: part of a purchase would earn wrong points',
} as const
export type RowCode = keyof typeof ROW_CODES
export type RowRefusal = { code: RowCode; reason: string }

/** What one row says. amount: minor units of the whole line; 0 for what comes back, where it is not looked at. */
export type Line = {
  /** undefined: a guest's, where the map keeps those */
  member: string | undefined
  occurredAt: Instant
  currency: string
  isReturn: boolean
  item: { sku: string; quantity: number; amount: number; name?: string; category?: string; brand?: string }
}
/** What the first row says of the whole purchase. */
export type Head = { channel?: string; store?: string; metadata?: Record<string, string> }

export type Cell = (cells: readonly string[]) => string
export type Columns = (name: string) => Cell

const TEXT_MAX = { sku: 100, name: 500, category: 200, brand: 200, channel: 100, store: 100 }
type TextField = keyof typeof TEXT_MAX
/** Of external ids: of members, of purchases and of returns. */
export const EXTERNAL_ID_MAX = 200

export function rowRefusal(code: RowCode, reason: string): RowRefusal {
  return { code, reason }
}

/** Columns by their names; throws a Fixable for a name that the header lacks, or has twice. */
export function columnsOf(header: readonly string[]): Columns {
  const places = new Map<string, number>()
  const twice = new Set<string>()
  for (const [i, name] of header.entries()) {
    if (places.has(name.trim())) twice.add(name.trim())
    places.set(name.trim(), i)
  }
  return (name) => {
    const at = places.get(name)
    if (at === undefined) {
      throw new Fixable(
        `The map names the column "${name}", which the file does not have. It has: ` +
          `${header
            .map((h) => `"${h.trim()}"`)
            .join(', ')
            .slice(0, 2_000)}. (Is the delimiter another one?)`,
      )
    }
    if (twice.has(name))
      throw new Fixable(`The file has two columns called "${name}", which the map names: rename one.`)
    return (cells) => (cells[at] ?? '').trim()
  }
}

/** A text that PostgreSQL can keep and that was decoded without loss. */
export function badText(name: string, text: string): RowRefusal | undefined {
  if (text.includes('\0')) return rowRefusal('text_invalid', `${name} holds a NUL`)
  if (text.includes('\ufffd'))
    return rowRefusal('text_invalid', `${name} is not of the file's encoding: "${text.slice(0, 60)}"`)
  return undefined
}

/** Reads one row of a purchase or return with this number. */
export function rowReader(
  map: ImportMap,
  columns: Columns,
): (number: string, cells: readonly string[]) => Line | RowRefusal {
  const member = memberReader(map, columns)
  const time = columns(map.occurredAt.column)
  const instant = clock(map.occurredAt.format, map.occurredAt.timezone)
  const currency = cellOf(map.currency, columns)
  const sku = columns(map.line.sku)
  const quantity = quantityReader(map, columns)
  const amount = amountReader(map, columns)
  const texts = textReader(map.line, ['name', 'category', 'brand'], columns)
  return (number, cells) => {
    const who = member(cells)
    if (typeof who === 'object') return who
    const at = instant(time(cells))
    if (at === undefined)
      return rowRefusal('time_invalid', `"${shown(time(cells))}" is not a time like ${map.occurredAt.format}`)
    const code = currency(cells)
    if (code === '') return rowRefusal('currency_missing', ROW_CODES.currency_missing)
    const what = sku(cells)
    if (what === '') return rowRefusal('sku_missing', ROW_CODES.sku_missing)
    const bad = badText('the SKU', what) ?? tooLong('sku', what)
    if (bad) return bad
    const units = quantity(number, cells)
    if ('code' in units) return units
    const money = units.isReturn ? 0 : amount(cells, units.quantity, code)
    if (typeof money !== 'number') return money
    const more = texts(cells)
    if (isRowRefusal(more)) return more
    return {
      member: who,
      occurredAt: at,
      currency: code,
      isReturn: units.isReturn,
      item: { sku: what, quantity: units.quantity, amount: money, ...more },
    }
  }
}

export function isRowRefusal(value: object): value is RowRefusal {
  return 'code' in value && 'reason' in value
}

export function headReader(map: ImportMap, columns: Columns): (cells: readonly string[]) => Head | RowRefusal {
  const texts = textReader(map, ['channel', 'store'], columns)
  const fields = Object.entries(map.metadata ?? {}).map(([name, column]) => ({ name, cell: columns(column) }))
  return (cells) => {
    const head = texts(cells)
    if (isRowRefusal(head) || fields.length === 0) return head
    const metadata: Record<string, string> = {}
    for (const { name, cell } of fields) {
      const bad = badText(name, cell(cells))
      if (bad) return bad
      if (cell(cells) !== '') metadata[name] = cell(cells)
    }
    if (JSON.stringify(metadata).length > FREE_CHARACTERS_MAX)
      return rowRefusal('text_too_long', 'the metadata are too long')
    return { ...head, metadata }
  }
}

/** The cell of a column, or the same text for every row. */
export function cellOf(from: ColumnOrConstant, columns: Columns): Cell {
  return typeof from === 'string' ? columns(from) : () => from.constant
}

/** No more of a cell than a reason needs. */
export function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function tooLong(field: TextField, text: string): RowRefusal | undefined {
  if (text.length <= TEXT_MAX[field]) return undefined
  return rowRefusal('text_too_long', `${field} has ${text.length} characters, at most ${TEXT_MAX[field]} are kept`)
}

/** Those of the fields that the map names and the row has. */
function textReader<Field extends TextField>(
  map: { [field in Field]?: ColumnOrConstant | undefined },
  names: Field[],
  columns: Columns,
) {
  const fields = names.flatMap((name) => {
    const from: ColumnOrConstant | undefined = map[name]
    return from === undefined ? [] : [{ name, cell: cellOf(from, columns) }]
  })
  return (cells: readonly string[]): { [field in Field]?: string } | RowRefusal => {
    const texts: { [field in Field]?: string } = {}
    for (const { name, cell } of fields) {
      const text = cell(cells)
      if (text === '') continue
      const bad = badText(name, text) ?? tooLong(name, text)
      if (bad) return bad
      texts[name] = text
    }
    return texts
  }
}

function memberReader(
  { member, guests }: Pick<ImportMap, 'member' | 'guests'>,
  columns: Columns,
): (cells: readonly string[]) => string | undefined | RowRefusal {
  const read = idReader(member, 'the member', 'member_missing', columns)
  const cell = columns(member.column)
  return (cells) => (guests === 'keep' && cell(cells) === '' ? undefined : read(cells))
}

/** An external id, as the map says that a cell becomes one. */
export function idReader(
  member: ImportMap['member'],
  name: string,
  missing: RowCode,
  columns: Columns,
): (cells: readonly string[]) => string | RowRefusal {
  const cell = columns(member.column)
  const integer = decimals({ decimal: '.' })
  const as = (text: string): string | undefined => {
    if (member.as === 'lowercase') return text.toLowerCase()
    if (member.as === 'uppercase') return text.toUpperCase()
    if (member.as !== 'integer') return text
    const value = integer(text)
    return value?.scale === 0 ? String(value.unscaled) : undefined
  }
  return (cells) => {
    const said = cell(cells)
    const id = said === '' ? undefined : as(said)
    if (id === undefined)
      return rowRefusal(missing, said === '' ? `${name} is empty` : `"${shown(said)}" is not a whole number`)
    const whole = (member.prefix ?? '') + id
    if (whole.length > EXTERNAL_ID_MAX) return rowRefusal('text_too_long', `${name} has ${whole.length} characters`)
    return badText(name, whole) ?? whole
  }
}

type Units = { quantity: number; isReturn: boolean }

function quantityReader(
  map: ImportMap,
  columns: Columns,
): (number: string, cells: readonly string[]) => Units | RowRefusal {
  const cell = columns(map.line.quantity)
  const read = decimals(map.numbers ?? { decimal: '.' })
  const { prefix, negativeQuantity } = map.returns ?? {}
  return (number, cells) => {
    const value = read(cell(cells))
    const quantity = value === undefined ? undefined : toInteger(value)
    if (quantity === undefined || quantity === 0)
      return rowRefusal('quantity_invalid', `"${shown(cell(cells))}" is not a number of units`)
    const isReturn = prefix === undefined ? negativeQuantity === true && quantity < 0 : number.startsWith(prefix)
    if (quantity < 0 !== (isReturn && negativeQuantity === true)) {
      return rowRefusal('quantity_sign', `the quantity ${quantity} in ${isReturn ? 'a return' : 'a purchase'}`)
    }
    return { quantity: Math.abs(quantity), isReturn }
  }
}

function amountReader(
  map: ImportMap,
  columns: Columns,
): (cells: readonly string[], quantity: number, currency: string) => number | RowRefusal {
  const { amount, unitPrice } = map.line
  const cell = columns((amount ?? unitPrice) as string)
  const read = decimals(map.numbers ?? { decimal: '.' })
  return (cells, quantity, currency) => {
    const value = read(cell(cells))
    if (value === undefined) return rowRefusal('amount_invalid', `"${shown(cell(cells))}" is not an amount`)
    if (value.unscaled < 0) return rowRefusal('amount_negative', `"${shown(cell(cells))}" is below zero`)
    const minor = toMinor(value, amount === undefined ? quantity : 1, decimalsOf(currency))
    return minor ?? rowRefusal('amount_out_of_range', `"${shown(cell(cells))}" × ${quantity} is beyond 2^53 − 1`)
  }
}
