import { decodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import type { LotView } from '@laurel/contract/lots'
import { Refused } from '@laurel/contract/refusals'
import { int4s } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'
import { type Draft, HOLD_STATUS, type Lot } from '../ledger/books.ts'
import { hasEnded, isPending } from '../ledger/ledger.rules.ts'
import { withoutLapsed } from '../ledger/time.rules.ts'
import { existingMember } from '../members/members.ts'
import { currentConfiguration } from './current.ts'
import { ENTRY_COLUMNS, ENTRY_TABLES, type EntryFilter, type EntryRow, entryAnswer, walletsOf } from './entries.ts'
import { selectPurchase } from './purchases.ts'
import { readBooks } from './standings.ts'

export type LotFilter = EntryFilter & { status?: 'pending' | 'active' | 'held' | 'over' | undefined }

/**
 * A member's open lots in the order in which they were booked, as time has made them by now. Refusals: member_unknown,
 * program_unknown, wallet_unknown, invalid_cursor.
 */
export async function listLots(
  db: Db,
  known: Configurations,
  member: string,
  filter: LotFilter,
  page: PageAsk,
  now: Instant,
): Promise<Page<LotView>> {
  const [configuration, asked] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const wallets = walletsOf(configuration, filter)
  const [stored] = await readBooks(db, configuration, [asked])
  if (!stored) throw new Error(`member ${asked} has no books`)
  const books = withoutLapsed(stored, now)
  const after = page.after === undefined ? { member: books.state.member, seq: 0 } : decodeEntryId(page.after)
  if (after?.member !== books.state.member)
    throw new Refused('invalid_cursor', "`after` is not the `next` of a list of this member's lots")
  const held = heldNow(books, now)
  const lots = books.lots
    .filter((lot) => lot.seq > after.seq && (wallets === null || wallets.includes(lot.walletId)))
    .filter((lot) => isAsked(lot, held.get(lot.seq) ?? 0, filter.status, now))
    .sort((a, b) => a.seq - b.seq)
    .slice(0, page.limit + 1)
  const rows = await rowsOf(db, books.state.member, lots)
  return pageOf(
    lots,
    page.limit,
    (lot) => lotView(configuration, lot, rows.get(lot.seq), held.get(lot.seq) ?? 0, now),
    (lot) => lot.id,
  )
}

/** By lot; a hold past its deadline holds nothing. */
function heldNow(books: Draft, now: Instant): Map<number, number> {
  const held = new Map<number, number>()
  for (const hold of books.holds) {
    if (hold.status !== HOLD_STATUS.open || hold.deadline <= now) continue
    for (const [seq, points] of hold.parts.flatMap((part) => part.l)) held.set(seq, (held.get(seq) ?? 0) + points)
  }
  return held
}

function isAsked(lot: Lot, held: number, status: LotFilter['status'], now: Instant): boolean {
  if (lot.remaining === 0) return false
  if (status === undefined) return true
  return status === 'held' ? held > 0 : statusOf(lot, now) === status
}

function statusOf(lot: Lot, now: Instant): LotView['status'] {
  if (hasEnded(lot, now)) return 'over'
  return isPending(lot, now) ? 'pending' : 'active'
}

function lotView(
  configuration: Configuration,
  lot: Lot,
  row: EntryRow | undefined,
  held: number,
  now: Instant,
): LotView {
  if (!row) throw new Error(`lot ${lot.seq} has no entry`)
  const { id, program, wallet, source, rule } = entryAnswer(configuration, row)
  return {
    id,
    program,
    wallet,
    status: statusOf(lot, now),
    points: lot.points,
    remaining: lot.remaining,
    held,
    activatesAt: isFar(lot.activatesAt) ? null : formatInstant(lot.activatesAt),
    expiresAt: lot.expiresAt === null ? null : formatInstant(lot.expiresAt),
    slides: lot.slides,
    occurredAt: formatInstant(lot.occurredAt),
    bookedAt: formatInstant(lot.bookedAt),
    source,
    rule,
  }
}

async function rowsOf(db: Db, member: Uuid, lots: readonly Lot[]): Promise<Map<number, EntryRow>> {
  if (lots.length === 0) return new Map()
  const rows = await db.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from ${ENTRY_TABLES} where e.space_id = $1 and e.member_id = $2 and e.seq = any ($3::int[])`,
    [db.space, member, int4s(lots, (lot) => lot.seq)],
    'lots-entries',
  )
  return new Map(rows.map((row) => [row.seq, row]))
}

/** The member (mem_…) whose purchase it is. Refusals: purchase_unknown. */
export async function whosePurchase(db: Db, ref: string): Promise<{ member: string; purchase: Uuid }> {
  const row = await selectPurchase(db, ref)
  if (!row) throw new Refused('purchase_unknown', `there is no purchase "${ref}"`)
  return { member: encodeId('mem', row.member), purchase: row.id }
}
