import { type MemberBody, memberBody } from '@laurel/contract/members'
import { DAY, type Instant, OCCURRED_AHEAD } from '@laurel/contract/instants'
import type { MemberRow } from '@laurel/engine/import-members'
import type { MembersMap } from './members-map.ts'
import { findErrors, inWords } from '../validate.ts'
import { decimals } from './numbers.ts'
import {
  badText,
  type Cell,
  cellOf,
  type Columns,
  columnsOf,
  idReader,
  isRowRefusal,
  rowRefusal,
  type RowRefusal,
  shown,
} from './row.ts'
import { skipReader } from './skip.ts'
import type { ReadPlan } from './table.ts'
import { clock } from './times.ts'

type Reader<T> = (cells: readonly string[]) => T | undefined | RowRefusal

/** Rows → members, as a map says. Pure. Throws a Fixable when the header lacks a column that the map names, or has it twice. */
export function membersPlan(map: MembersMap, header: readonly string[], now: Instant): ReadPlan<MemberRow> {
  const columns = columnsOf(header)
  const skipped = skipReader(map.skip, header, columns)
  const id = idReader(map.externalId, 'the external id', 'external_id_missing', columns)
  const fields = fieldReaders(map, columns)
  const status = statusReader(map, columns)
  const joined = joinedReader(map, columns, now)
  const card = map.card === undefined ? () => undefined : text('card', columns(map.card))
  return (cells) => {
    const reason = skipped(cells)
    if (reason !== undefined) return { kind: 'skip', reason }
    if (cells.length !== header.length)
      return fault(rowRefusal('row_ragged', `${cells.length} cells, where the header has ${header.length}`))
    const externalId = id(cells)
    if (typeof externalId !== 'string') return fault(externalId)
    const body: Record<string, unknown> = { externalId }
    for (const [name, read] of fields) {
      const value = read(cells)
      if (typeof value === 'object' && value !== null && isRowRefusal(value)) return fault(value)
      if (value !== undefined) body[name] = value
    }
    const shape = memberBody.safeParse(body)
    if (!shape.success) return fault(wrongShape(body))
    const state = status(cells)
    if (typeof state === 'object') return fault(state)
    const joinedAt = joined(cells)
    if (typeof joinedAt === 'object') return fault(joinedAt)
    const code = card(cells)
    if (typeof code === 'object') return fault(code)
    const said = shape.data as MemberBody & { externalId: string }
    return { kind: 'item', key: externalId, item: { body: said, status: state, joinedAt, card: code } }
  }
}

function fault(no: RowRefusal) {
  return { kind: 'fault' as const, no }
}

function wrongShape(body: object): RowRefusal {
  const reasons = inWords(findErrors(memberBody, body) ?? [], 'the member')
  return rowRefusal('member_invalid', reasons.join('; '))
}

/** What the row says of each field of a profile, in the words of POST /v1/members. */
function fieldReaders(map: MembersMap, columns: Columns): [string, Reader<unknown>][] {
  const readers: [string, Reader<unknown>][] = []
  if (map.email !== undefined) readers.push(['email', text('email', columns(map.email))])
  if (map.phone !== undefined) readers.push(['phone', text('phone', columns(map.phone))])
  if (map.locale !== undefined) readers.push(['locale', text('locale', cellOf(map.locale, columns))])
  if (map.name !== undefined) {
    const parts = [map.name].flat().map(columns)
    const whole: Cell = (cells) =>
      parts
        .map((part) => part(cells))
        .filter((part) => part !== '')
        .join(' ')
    readers.push(['name', text('name', whole)])
  }
  if (map.birthDate) readers.push(['birthDate', dateReader(columns(map.birthDate.column), map.birthDate.format)])
  if (map.attributes) readers.push(['attributes', attributesReader(map, columns)])
  return readers
}

function text(name: string, cell: Cell): Reader<string> {
  return (cells) => {
    const said = cell(cells)
    return said === '' ? undefined : (badText(name, said) ?? said)
  }
}

function dateReader(cell: Cell, format: string): Reader<string> {
  const read = clock(format, 'UTC')
  return (cells) => {
    const said = cell(cells)
    if (said === '') return undefined
    const at = read(said)
    return at === undefined
      ? rowRefusal('time_invalid', `"${shown(said)}" is not a date like ${format}`)
      : new Date(at / 1000).toISOString().slice(0, 10)
  }
}

const YES = new Map([
  ...['true', 'yes', 'y', '1'].map((word): [string, boolean] => [word, true]),
  ...['false', 'no', 'n', '0'].map((word): [string, boolean] => [word, false]),
])

function attributesReader(map: MembersMap, columns: Columns): Reader<Record<string, unknown>> {
  const number = decimals(map.numbers ?? { decimal: '.' })
  const readers = Object.entries(map.attributes ?? {}).map(([name, from]) => {
    const cell = columns(typeof from === 'string' ? from : from.column)
    return { name, cell, as: typeof from === 'string' ? 'text' : from.as }
  })
  const value = (as: string, said: string): unknown => {
    if (as === 'text') return said
    if (as === 'boolean') return YES.get(said.toLowerCase())
    const read = number(said)
    if (!read || (as === 'integer' && read.scale !== 0)) return undefined
    const exact = Number(read.unscaled) / 10 ** read.scale
    return Number.isSafeInteger(Number(read.unscaled)) ? exact : undefined
  }
  return (cells) => {
    const attributes: Record<string, unknown> = {}
    for (const { name, cell, as } of readers) {
      const said = cell(cells)
      if (said === '') continue
      const bad = badText(name, said)
      if (bad) return bad
      const read = value(as, said)
      if (read === undefined) return rowRefusal('number_invalid', `${name}: "${shown(said)}" is not a ${as}`)
      attributes[name] = read
    }
    return Object.keys(attributes).length === 0 ? undefined : attributes
  }
}

function statusReader({ status }: MembersMap, columns: Columns): Reader<NonNullable<MemberRow['status']>> {
  if (!status) return () => undefined
  const cell = columns(status.column)
  const words = new Map<string, NonNullable<MemberRow['status']>>(
    Object.entries(status.values ?? { active: 'active', suspended: 'suspended', closed: 'closed' }),
  )
  return (cells) => {
    const said = cell(cells)
    if (said === '') return undefined
    return words.get(said) ?? rowRefusal('status_invalid', `"${shown(said)}" is no status that the map knows`)
  }
}

/** Nobody was a member of anything before. */
const JOINED_MIN: Instant = Date.UTC(1950, 0, 1) * 1000

function joinedReader({ joinedAt }: MembersMap, columns: Columns, now: Instant): Reader<Instant> {
  if (!joinedAt) return () => undefined
  const cell = columns(joinedAt.column)
  const read = clock(joinedAt.format, joinedAt.timezone)
  return (cells) => {
    const said = cell(cells)
    if (said === '') return undefined
    const at = read(said)
    if (at === undefined) return rowRefusal('time_invalid', `"${shown(said)}" is not a time like ${joinedAt.format}`)
    if (at >= JOINED_MIN && at <= now + OCCURRED_AHEAD) return Math.min(at, now)
    return rowRefusal(
      'time_invalid',
      `joined ${at > now ? `${Math.ceil((at - now) / DAY)} days ahead of now` : 'before 1950'}`,
    )
  }
}
