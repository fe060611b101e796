import type { Instant } from '@laurel/contract/instants'
import type { OpenAsk } from '@laurel/engine/gate/asks'
import type { BalancesMap } from './balances-map.ts'
import { decimals, toInteger } from './numbers.ts'
import {
  badText,
  cellOf,
  type Columns,
  columnsOf,
  EXTERNAL_ID_MAX,
  idReader,
  isRowRefusal,
  ROW_CODES,
  rowRefusal,
  type RowRefusal,
  shown,
} from './row.ts'
import { skipReader } from './skip.ts'
import type { ReadPlan } from './table.ts'
import { clock } from './times.ts'

type Cells = readonly string[]

/** Rows → opening balances, as a map says. Pure. Throws a Fixable when the header lacks a column that the map names, or has it twice. */
export function balancesPlan(
  map: BalancesMap,
  header: Cells,
  where: { program: string; wallet: string | undefined },
): ReadPlan<OpenAsk> {
  const columns = columnsOf(header)
  const skipped = skipReader(map.skip, header, columns)
  const name = columns(map.id)
  const member = idReader(map.member, 'the member', 'member_missing', columns)
  const wallet = walletReader(map, where.wallet, columns)
  const points = pointsReader(map, columns)
  const earned = timeReader(map.earnedAt, columns)
  const activates = map.activatesAt && timeReader(map.activatesAt, columns)
  const expires = map.expiresAt && timeReader(map.expiresAt, columns, 'never')
  const read = (cells: Cells): OpenAsk | RowRefusal => {
    if (cells.length !== header.length)
      return rowRefusal('row_ragged', `${cells.length} cells, where the header has ${header.length}`)
    const externalId = name(cells)
    const bad = badName(externalId)
    if (bad) return bad
    const who = member(cells)
    if (typeof who === 'object') return who
    const slug = wallet(cells)
    if (typeof slug === 'object') return slug
    const n = points(cells)
    if (typeof n === 'object') return n
    const earnedAt = earned(cells)
    if (earnedAt === undefined) return rowRefusal('time_invalid', 'the time at which they were earned is empty')
    if (typeof earnedAt === 'object') return earnedAt
    const activatesAt = activates?.(cells)
    if (typeof activatesAt === 'object') return activatesAt
    const expiresAt = expires?.(cells)
    if (typeof expiresAt === 'object') return expiresAt
    return {
      verb: 'open',
      member: `external:${who}`,
      program: where.program,
      wallet: slug,
      points: n,
      earnedAt: earnedAt as Instant,
      activatesAt: activatesAt as Instant | undefined,
      expiresAt,
      externalId,
    }
  }
  return (cells) => {
    const reason = skipped(cells)
    if (reason !== undefined) return { kind: 'skip', reason }
    const item = read(cells)
    return isRowRefusal(item) ? { kind: 'fault', no: item } : { kind: 'item', key: item.externalId, item }
  }
}

function badName(externalId: string): RowRefusal | undefined {
  if (externalId === '') return rowRefusal('external_id_missing', ROW_CODES.external_id_missing)
  if (externalId.length > EXTERNAL_ID_MAX)
    return rowRefusal('text_too_long', `the row's number has ${externalId.length} characters`)
  return badText("the row's number", externalId)
}

function walletReader(
  map: BalancesMap,
  told: string | undefined,
  columns: Columns,
): (cells: Cells) => string | RowRefusal {
  if (told !== undefined) return () => told
  const cell = map.wallet === undefined ? () => 'points' : cellOf(map.wallet, columns)
  return (cells) => cell(cells) || rowRefusal('wallet_missing', ROW_CODES.wallet_missing)
}

function pointsReader(map: BalancesMap, columns: Columns): (cells: Cells) => number | RowRefusal {
  const cell = columns(map.points)
  const read = decimals(map.numbers ?? { decimal: '.' })
  return (cells) => {
    const value = read(cell(cells))
    const points = value && toInteger(value)
    if (points !== undefined && points > 0) return points
    return rowRefusal('points_invalid', `"${shown(cell(cells))}" is not a number of points`)
  }
}

function timeReader(
  from: BalancesMap['earnedAt'],
  columns: Columns,
  word?: 'never',
): (cells: Cells) => Instant | 'never' | undefined | RowRefusal {
  const cell = columns(from.column)
  const read = clock(from.format, from.timezone)
  return (cells) => {
    const said = cell(cells)
    if (said === '') return undefined
    if (word !== undefined && said.toLowerCase() === word) return word
    return read(said) ?? rowRefusal('time_invalid', `"${shown(said)}" is not a time like ${from.format}`)
  }
}
