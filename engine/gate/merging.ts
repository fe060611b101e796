import type { Refusal } from '@laurel/contract/refusals'
import type { Lot, Why } from '../ledger/books.ts'
import { bookTakes, burnOrder, credit, hasEnded, takeFrom, walletOf } from '../ledger/ledger.rules.ts'
import { debtOf } from '../ledger/wallets.rules.ts'
import { handOnWrittenOff } from '../ledger/written-off.rules.ts'
import type { Merge, MergedLot } from '../members/merges.sql.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'

/** What a merge's entries say: `one` is it. */
export function whyOf(one: Merge, facts: Facts): Omit<Why, 'kind' | 'source' | 'occurredAt'> {
  return { digest: one.digest, now: facts.now, ...(facts.actor ? { actor: facts.actor } : {}) }
}

/** Every open lot goes on as one of the survivor's, with its dates and source; a debt is taken on, and so is what returns wrote off. */
export function moveAll(from: Opened, to: Opened, one: Merge, facts: Facts): Refusal | undefined {
  for (const wallet of from.books.state.wallets) {
    const lots = from.books.lots.filter((lot) => lot.walletId === wallet.w && lot.remaining > 0)
    const debt = debtOf(wallet)
    seenAsOne(from, to, wallet.w)
    const no = carry(
      from,
      to,
      lots.map((lot) => ({ lot, points: lot.remaining })),
      one,
      one.lots,
      facts,
    )
    if (no) return no
    handOnWrittenOff(wallet, walletOf(to.books.state, wallet.w))
    if (debt > 0) {
      const owed = takeOver(from, to, wallet.w, debt, one, facts)
      if (owed) return owed
    }
  }
  return undefined
}

/** Where points end by inactivity: what either did last counts for the one that gets them. */
export function seenAsOne(from: Opened, to: Opened, walletId: number): void {
  const last = from.books.state.wallets.find((w) => w.w === walletId)?.t ?? 0
  const wallet = walletOf(to.books.state, walletId)
  wallet.t = Math.max(wallet.t, last)
}

/** Takes from one member's lots by one entry a wallet, and opens lots of the other's: `moved` says which became which. */
export function carry(
  from: Opened,
  to: Opened,
  takes: readonly { lot: Lot; points: number }[],
  one: Merge,
  moved: MergedLot[],
  facts: Facts,
): Refusal | undefined {
  const why = whyOf(one, facts)
  const [first] = takes
  if (!first) return undefined
  const { walletId } = first.lot
  bookTakes(from.books, walletId, takes, { ...why, kind: 'mergeOut', source: one.id, occurredAt: facts.now })
  for (const { lot, points } of takes) {
    const full = credit(
      to.books,
      walletId,
      points,
      {
        ...why,
        kind: 'mergeIn',
        source: lot.source,
        occurredAt: lot.occurredAt,
        ...(lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }),
      },
      { activatesAt: lot.activatesAt, expiresAt: lot.slides ? null : lot.expiresAt },
    )
    if (full) return full
    const left = to.books.lots.at(-1)?.remaining ?? points
    const became: MergedLot = [walletId, lot.seq, to.books.state.entrySeq, points, lot.source]
    if (left < points) became[5] = points - left
    moved.push(became)
  }
  return undefined
}

/** What the other owes is paid by this member's lots, pending ones too as with a return, and owed by it as far as they do not suffice. */
function takeOver(
  from: Opened,
  to: Opened,
  walletId: number,
  debt: number,
  one: Merge,
  facts: Facts,
): Refusal | undefined {
  const why = { ...whyOf(one, facts), source: one.id, occurredAt: facts.now }
  const full = credit(from.books, walletId, debt, { ...why, kind: 'mergeIn' })
  if (full) return full
  const lots = to.books.lots.filter((lot) => lot.walletId === walletId && !hasEnded(lot, facts.now)).sort(burnOrder)
  const takes = takeFrom(lots, debt)
  const found = takes.reduce((sum, take) => sum + take.points, 0)
  const entry = bookTakes(to.books, walletId, takes, { ...why, kind: 'mergeOut' }, debt - found)
  one.debts.push([walletId, debt, entry?.seq])
  return undefined
}
