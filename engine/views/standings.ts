import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type Db, withRead } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { type WalletAnswer, walletAnswer } from '../gate/answers.ts'
import { termsOf } from '../gate/dates.ts'
import type { Draft, Hold, Lot, MemberState } from '../ledger/books.ts'
import { loadOpenHolds } from '../ledger/holds.sql.ts'
import { draft } from '../ledger/ledger.rules.ts'
import { loadLots } from '../ledger/ledger.sql.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { hasPassed, passTime, type Standing, standingOf } from '../ledger/time.rules.ts'
import { emptyWallet } from '../ledger/wallets.rules.ts'

/** Members' books with all open lots and holds, as stored; those merged into another under that other. Three statements. */
export async function readBooks(db: Db, configuration: Configuration, members: readonly Uuid[]): Promise<Draft[]> {
  const survivors = await loadSurvivors(db, members)
  return await booksOf(db, configuration, [...new Set(survivors.values())])
}

async function booksOf(db: Db, configuration: Configuration, states: readonly MemberState[]): Promise<Draft[]> {
  const from = (state: MemberState) => Math.min(...state.wallets.filter((w) => w.o > 0).map((w) => w.o))
  const [lots, holds] = await Promise.all([
    loadLots(
      db,
      states.map((state) => ({ member: state.member, from: from(state) })).filter((m) => Number.isFinite(m.from)),
    ),
    loadOpenHolds(
      db,
      states.filter((s) => s.wallets.some((w) => w.h > 0)).map((s) => s.member),
    ),
  ])
  const lotsOf = Map.groupBy(lots, (lot) => lot.member)
  const holdsOf = Map.groupBy(holds, (hold) => hold.member)
  return states.map((state) => {
    const own: Lot[] = lotsOf.get(state.member) ?? []
    const held: Hold[] = holdsOf.get(state.member) ?? []
    for (const [seq, points] of held.flatMap((hold) => hold.parts.flatMap((part) => part.l))) {
      const lot = own.find((l) => l.seq === seq)
      if (lot) lot.held += points
    }
    return draft(state, { lots: own, holds: held }, termsOf(configuration))
  })
}

/** Whom each of these members lives on as: itself, as a rule. Who is not stored is left out. */
async function loadSurvivors(db: Db, members: readonly Uuid[]): Promise<Map<Uuid, MemberState>> {
  const known = new Map<Uuid, MemberState>()
  let wanted: Uuid[] = [...new Set(members)]
  while (wanted.length > 0) {
    for (const state of await loadStates(db, wanted)) known.set(state.member, state)
    wanted = [...new Set([...known.values()].flatMap(({ mergedInto }) => mergedInto ?? []))].filter(
      (id) => !known.has(id),
    )
  }
  const survivor = (state: MemberState): MemberState => {
    const into = state.mergedInto === null ? undefined : known.get(state.mergedInto)
    return into ? survivor(into) : state
  }
  return new Map(
    members.flatMap((id) => {
      const state = known.get(id)
      return state ? [[id, survivor(state)] as const] : []
    }),
  )
}

/** As a decision opens them: with what time did up to now, booked or not. Nothing of that is kept. */
export function broughtUpTo(books: Draft, now: Instant): Draft {
  if (hasPassed(books.state, books.terms, now)) passTime(books, now)
  return books
}

/** What each wallet holds at an instant. Holds past their deadline hold nothing, lots past their date are over. */
export function standingsAt(books: Draft, now: Instant): (walletId: number) => Standing {
  return (walletId) => standingOf(books, walletId, now)
}

/**
 * Every wallet of every program, as time has made them by now: for members whose cached balances time has overtaken, or who
 * were merged into another. One snapshot for all of them.
 */
export async function walletsAt(
  pool: pg.Pool,
  space: number,
  configuration: Configuration,
  members: readonly Uuid[],
  now: Instant,
): Promise<Map<Uuid, WalletAnswer[]>> {
  return await withRead(pool, space, async (db) => {
    const survivors = await loadSurvivors(db, members)
    const books = await booksOf(db, configuration, [...new Set(survivors.values())])
    const answers = new Map(books.map((one) => [one.state.member, answersOf(configuration, one, now)]))
    return new Map([...survivors].map(([member, state]) => [member, answers.get(state.member) ?? []]))
  })
}

function answersOf(configuration: Configuration, books: Draft, now: Instant): WalletAnswer[] {
  const standing = standingsAt(books, now)
  return configuration.programs.flatMap((program) =>
    program.wallets.flatMap(({ walletId }) => {
      const wallet = configuration.byWalletId.get(walletId)
      const cached = books.state.wallets.find((w) => w.w === walletId)
      if (!wallet) return []
      return [walletAnswer(wallet, cached ?? emptyWallet(walletId), cached && standing(walletId))]
    }),
  )
}
