import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Refusal } from '@laurel/contract/refusals'
import type { Draft, Entry, Lot, LotUse, Why } from './books.ts'
import { book, hasEnded, lowestOpen, recover, restart, walletOf } from './ledger.rules.ts'
import { count, outOfRange } from './range.rules.ts'
import { moveLot } from './moves.rules.ts'
import type { Forgiven } from './wallets.rules.ts'
import { makeGood } from './written-off.rules.ts'

/**
 * Gives points back to the lots from which an earlier entry took them, at their original age; what the wallet owes is paid
 * from them at once.
 */
export function giveBack(
  d: Draft,
  walletId: number,
  gives: readonly { lot: Lot; points: number }[],
  why: Why,
  pays: (lot: Lot) => boolean = () => true,
): Entry | undefined {
  const points = gives.reduce((sum, give) => sum + give.points, 0)
  if (points === 0) return undefined
  const wallet = walletOf(d.state, walletId)
  wallet.b += points
  count(wallet, why.kind, points)
  const entry = book(d, wallet, points, why)
  for (const give of gives) {
    give.lot.remaining += give.points
    d.uses.push({ seq: entry.seq, lotSeq: give.lot.seq, points: -give.points })
  }
  if (wallet.n.length > 0) {
    const own = gives.map(({ lot }) => lot)
    recover(
      d,
      wallet,
      own.filter((lot) => !hasEnded(lot, why.now) && pays(lot)),
    )
  }
  wallet.o = lowestOpen(d.lots, walletId)
  return entry
}

/** Until when points live that come back to a lot whose end has passed; undefined: they expire at once. */
export type Grace = (lot: Lot) => Instant | undefined

/**
 * Undoes so much of a spend: gives back to the very lots that it took from, what it took last first. `uses`: what of the spend is
 * not given back yet, no less than `points`. What comes back to a lot whose end has passed goes on as a lot of its own
 * where there is a grace for it, by an entry that names the refund, and makes good what was written off like all that comes back; otherwise it
 * expires at once (settleTime). `spent`: the source of the spend, and whether a lot is the member's own: what is another's by now goes on to
 * that one, and makes nothing good here. Refuses amount_out_of_range.
 */
export function refund(
  d: Draft,
  walletId: number,
  uses: readonly LotUse[],
  points: number,
  grace: Grace,
  why: Omit<Why, 'kind'> & { reverses: number },
  spent: { source: Uuid; isOwn?: (lot: Lot) => boolean },
): Entry | Refusal {
  const full = outOfRange(walletOf(d.state, walletId), 'refund', points)
  if (full) return full
  const { slidesOn } = d.terms(walletId) // of other activities there may not have been one yet
  if (slidesOn?.has('spend') || slidesOn?.has('earn')) restart(d, walletId, why.now)
  const gives = lastFirst(d, uses, points)
  const entry = giveBack(d, walletId, gives, { ...why, kind: 'refund' }, () => false)
  if (!entry) throw new Error(`entry ${why.reverses} took nothing that could be given back`)
  const live = gives.map(({ lot }) => lot).filter((lot) => !hasEnded(lot, why.now))
  const graced: Lot[] = []
  for (const { lot } of gives) {
    const expiresAt = hasEnded(lot, why.now) && lot.remaining > lot.held ? grace(lot) : undefined
    if (expiresAt === undefined) continue
    const { digest, now, actor } = why
    const from = { digest, now, reverses: entry.seq, ...(actor === undefined ? {} : { actor }) }
    graced.push(moveLot(d, lot, { activatesAt: now, expiresAt }, from))
  }
  // what a hold had set aside before the return was gone by then, though it was captured after it: ids of one clock are in order
  const had = ([source, , seq, then = source]: Forgiven) => why.reverses <= seq || spent.source < then
  const own = [...live, ...graced].filter(spent.isOwn ?? (() => true))
  makeGood(d, walletOf(d.state, walletId), own, { at: why.now, now: why.now }, had)
  recover(d, walletOf(d.state, walletId), own) // what is owed waits for what comes later, what was written off does not
  return entry
}

/** The reverse of the order in which points are spent, by the lots' own dates: the same however often it is asked. */
function lastFirst(d: Draft, uses: readonly LotUse[], points: number): { lot: Lot; points: number }[] {
  const bySeq = new Map(d.lots.map((lot) => [lot.seq, lot]))
  const took = uses
    .filter((use) => use.points > 0)
    .map((use) => {
      const lot = bySeq.get(use.lotSeq)
      if (!lot) throw new Error(`lot ${use.lotSeq} was taken from but is not known`)
      return { lot, points: use.points }
    })
  const end = ({ lot }: { lot: Lot }) => (lot.slides ? null : lot.expiresAt) ?? Number.MAX_SAFE_INTEGER
  took.sort((a, b) => end(b) - end(a) || b.lot.activatesAt - a.lot.activatesAt || b.lot.seq - a.lot.seq)
  let wanted = points
  const gives = took.flatMap((use) => {
    const given = Math.min(wanted, use.points)
    wanted -= given
    return given > 0 ? [{ lot: use.lot, points: given }] : []
  })
  if (wanted > 0) throw new Error(`${points} points were to be given back, ${points - wanted} were taken`)
  return gives
}
