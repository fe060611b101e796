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
import { type Standing, standingOf } from '../ledger/time.rules.ts'
import { emptyWallet } from '../ledger/wallets.rules.ts'

/** Members' books with all open lots and holds, as stored; those merged into another under that other. Three statements. */
export async function readBooks(db: Db, configuration: Configuration, members: readonly Uuid[]): Promise<Draft[]> {
  const states = await loadSurvivors(db, members)
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

async function loadSurvivors(db: Db, members: readonly Uuid[]): Promise<MemberState[]> {
  const states: MemberState[] = []
  let wanted: Uuid[] = [...new Set(members)]
  while (wanted.length > 0) {
    const found = await loadStates(db, wanted)
    states.push(...found.filter((state) => state.mergedInto === null))
    wanted = [...new Set(found.flatMap((state) => (state.mergedInto === null ? [] : [state.mergedInto])))]
  }
  return states
}

/** What each wallet holds at an instant. Holds past their deadline hold nothing, lots past their date are over. */
export function standingsAt(books: Draft, now: Instant): (walletId: number) => Standing {
  return (walletId) => standingOf(books, walletId, now)
}

/** Every wallet of every program, as time has made them by now: for members whose cached balances time has overtaken. */
export async function walletsAt(
  pool: pg.Pool,
  space: number,
  configuration: Configuration,
  member: Uuid,
  now: Instant,
): Promise<WalletAnswer[]> {
  const [books] = await withRead(pool, space, (db) => readBooks(db, configuration, [member]))
  if (!books) throw new Error(`member ${member} has no books`)
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
