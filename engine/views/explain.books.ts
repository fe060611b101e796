import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import { int4s } from '../base/arrays.ts'
import { memberNamed } from '../base/names.ts'
import type { Configuration } from '../earning/configuration.ts'
import { termsOf } from '../gate/dates.ts'
import { KINDS } from '../ledger/accounts.ts'
import type { HoldPart, MemberState, WalletTerms } from '../ledger/books.ts'
import type { HeldThen, Line, SlideEnd, UseThen, WalletBooks } from '../ledger/explain-columns.rules.ts'
import { type Joined, slideOf } from '../ledger/explain-slides.rules.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { MADE_GOOD } from '../ledger/written-off.rules.ts'
import { existingMember } from '../members/members.ts'
import { memberRef } from '../members/refs.ts'

/** All of one wallet's books, light: no texts, no hashes. */
export type BooksRead = {
  member: Uuid
  books: WalletBooks
  lastBooked: Instant
  slideEnd: SlideEnd | undefined
}

/**
 * The books to explain a balance at an instant (undefined: now), in a fixed number of statements. A member who was
 * merged into another lives on as that other: asked about now, it is the other's books, and its own for an instant
 * before. Refusals: member_unknown.
 */
export async function readWalletBooks(
  db: Db,
  configuration: Configuration,
  ref: string,
  walletId: number,
  at: Instant | undefined,
): Promise<BooksRead> {
  const state = await stateAt(db, ref, at)
  const { member } = state
  const terms = termsOf(configuration)(walletId)
  const [lines, uses, holds, late, joined, ended] = await Promise.all([
    db.query<Line>(
      `select seq, kind, from_account as "from", to_account as "to", points, booked_at as "bookedAt",
              activates_at as "activatesAt", expires_at as "expiresAt"
         from entries where member_id = $1 and space_id = $2 and wallet_id = $3 order by seq`,
      [member, db.space, walletId],
      'explain-lines',
    ),
    db.query<UseThen>(
      'select seq, lot_seq as "lotSeq", points, written from lot_uses where member_id = $1 and space_id = $2',
      [member, db.space],
      'explain-uses',
    ),
    holdsAt(db, member, at),
    lateAt(db, member, walletId, at),
    joinedAt(db, member, walletId, terms, at),
    endedAt(db, member, walletId, terms, at),
  ])
  const wallet = state.wallets.find(({ w }) => w === walletId)
  const books = { lines, uses, holds, forgiven: wallet?.k ?? [], late }
  return {
    member,
    books,
    lastBooked: lines.at(-1)?.bookedAt ?? 0,
    slideEnd: slideOf(terms, wallet, at, { uses, joined, ended }),
  }
}

async function stateAt(db: Db, ref: string, at: Instant | undefined): Promise<MemberState> {
  const now = await existingMember(db, ref)
  let [state] = await loadStates(db, [at === undefined ? now : ((await namedMember(db, ref)) ?? now)])
  while (state && state.mergedInto !== null && !(await isBeforeItsEnd(db, state.member, at))) {
    ;[state] = await loadStates(db, [state.mergedInto])
  }
  if (!state) throw new Error(`member ${now} has no books`)
  return state
}

/** The member of that very id or name, though merged into another since. */
async function namedMember(db: Db, ref: string): Promise<Uuid | undefined> {
  const named = memberRef(ref)
  if (!named || 'id' in named) return named?.id
  return await memberNamed(db, named.key)
}

/** Of a merged member: whether it was one by itself then. Its entries do not say: who has no points is merged without any. */
async function isBeforeItsEnd(db: Db, member: Uuid, at: Instant | undefined): Promise<boolean> {
  if (at === undefined) return false
  const [merge] = await db.query<{ mergedAt: Instant }>(
    `select merged_at as "mergedAt" from merges
      where other_id = $1 and space_id = $2 and undone_at is null order by merge_id desc limit 1`,
    [member, db.space],
    'explain-merged',
  )
  return merge !== undefined && at < merge.mergedAt
}

/** Holds that held something at the instant; now: whatever is not settled. */
async function holdsAt(db: Db, member: Uuid, at: Instant | undefined): Promise<HeldThen[]> {
  const rows = await db.query<Omit<HeldThen, 'parts'> & { parts: string }>(
    `select hold_id as id, placed_at as "placedAt", deadline, settled_at as "settledAt", reason, parts from holds
      where member_id = $1 and space_id = $2 and (settled_at is null or $3::timestamptz < settled_at) order by hold_id`,
    [member, db.space, at === undefined ? null : new Date(Math.floor(at / 1000)).toISOString()],
    'explain-holds',
  )
  return rows.map((row) => ({ ...row, parts: JSON.parse(row.parts) as HoldPart[] }))
}

/** Entries that were booked after the instant, by which points that had come free by then made good what returns had written off. */
async function lateAt(db: Db, member: Uuid, walletId: number, at: Instant | undefined): Promise<Set<number>> {
  if (at === undefined) return new Set()
  const rows = await db.query<{ seq: number }>(
    `select seq from entries where member_id = $1 and space_id = $2 and wallet_id = $3 and kind = $4 and reason = $5
        and occurred_at <= $6 and booked_at > $6`,
    [member, db.space, walletId, KINDS.reverse.code, MADE_GOOD, formatInstant(at)],
    'explain-late',
  )
  return new Set(rows.map(({ seq }) => seq))
}

/** Lots of which something had ended by inactivity by an instant, and was held then or not looked at: when, as was booked after it. */
async function endedAt(
  db: Db,
  member: Uuid,
  walletId: number,
  { slideEnd }: WalletTerms,
  at: Instant | undefined,
): Promise<Map<number, Instant>> {
  if (at === undefined || !slideEnd) return new Map()
  const rows = await db.query<{ lot: number; end: Instant }>(
    `select u.lot_seq as lot, e.occurred_at as "end" from entries e join lot_uses u on u.member_id = e.member_id and u.seq = e.seq
      where e.member_id = $1 and e.space_id = $2 and e.wallet_id = $3 and e.kind = $4 and e.occurred_at <= $5 and e.booked_at > $5`,
    [member, db.space, walletId, KINDS.expire.code, formatInstant(at)],
    'explain-ended',
  )
  return new Map(rows.map(({ lot, end }) => [lot, end]))
}

/** The earnings and spendings of those from whom something came along by an instant; none where they move no deadline. */
async function joinedAt(
  db: Db,
  member: Uuid,
  walletId: number,
  { slideEnd, slidesOn }: WalletTerms,
  at: Instant | undefined,
): Promise<Joined[]> {
  const kinds = (['earn', 'spend'] as const).filter((kind) => slidesOn?.has(kind)).map((kind) => KINDS[kind].code)
  if (at === undefined || !slideEnd || kinds.length === 0) return []
  return await db.query<Joined>(
    `with recursive came(member_id, until, at) as (
       select case when g.member_id = $1 then g.other_id else g.member_id end,
              case when g.member_id = $1 then g.merged_at else g.undone_at end,
              case when g.member_id = $1 then g.merged_at else g.undone_at end
         from merges g where g.space_id = $2 and (g.member_id = $1 and g.merged_at <= $4 or g.other_id = $1 and g.undone_at <= $4)
       union
       select case when g.member_id = c.member_id then g.other_id else g.member_id end,
              case when g.member_id = c.member_id then g.merged_at else g.undone_at end, c.at
         from came c
         join merges g on g.member_id = c.member_id and g.merged_at <= c.until or g.other_id = c.member_id and g.undone_at <= c.until
        where g.space_id = $2
     )
     select c.at, max(e.booked_at) as last from came c
      cross join lateral (
        select e.booked_at from entries e
         where e.member_id = c.member_id and e.space_id = $2 and e.wallet_id = $3 and e.booked_at <= c.until and e.kind = any ($5::int[])
         order by e.seq desc limit 1) as e
      group by c.at order by c.at`,
    [member, db.space, walletId, formatInstant(at), int4s(kinds, (kind) => kind)],
    'explain-joined',
  )
}
