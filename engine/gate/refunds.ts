import { encodeEntryId, type Uuid } from '@laurel/contract/ids'
import type { Refusal } from '@laurel/contract/refusals'
import { addPeriod } from '../base/calendar.ts'
import { KINDS } from '../ledger/accounts.ts'
import type { Entry, Lot, LotUse } from '../ledger/books.ts'
import { bookTakes, credit, hasEnded, lowestOpen, recover, walletOf as stateOf } from '../ledger/ledger.rules.ts'
import type { Grace } from '../ledger/refunds.rules.ts'
import { makeGood } from '../ledger/written-off.rules.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { tell } from './decisions.ts'
import { MovedError } from './faults.ts'
import type { Slices } from './slices.ts'

/** What of the spend was not given back yet, a lot. */
export function usesOf(slices: Slices, { member, seq }: { member: Uuid; seq: number }): LotUse[] {
  const uses = slices.uses.get(`${member} ${seq}`)
  if (!uses || uses.length === 0) throw new MovedError(`what entry ${seq} took was not read`)
  return uses
}

/**
 * What came back to a member who lives on as another goes on there, with its dates and source, as all went on when they were merged.
 * What returns of the other wrote off since it was spent is made good first, as if it had been the other who spent it.
 */
export function carryOn(
  from: Opened,
  to: Opened,
  spent: Pick<Entry, 'source'>,
  made: Entry,
  facts: Facts,
  which: (lot: Lot) => boolean = () => true,
): Refusal | undefined {
  const { walletId, digest, source } = made
  const takes = from.books.lots
    .filter((lot) => lot.walletId === walletId && lot.remaining > lot.held && !hasEnded(lot, facts.now) && which(lot))
    .sort((a, b) => a.seq - b.seq) // whatever was read for others of the list before
    .map((lot) => ({ lot, points: lot.remaining - lot.held }))
  const why = { digest, now: facts.now, ...(facts.actor ? { actor: facts.actor } : {}) }
  const came: Lot[] = []
  bookTakes(from.books, walletId, takes, { ...why, kind: 'mergeOut', source, occurredAt: facts.now })
  for (const { lot, points } of takes) {
    const rule = lot.ruleVersionId === null ? {} : { ruleVersionId: lot.ruleVersionId }
    const full = credit(
      to.books,
      walletId,
      points,
      { ...why, ...rule, kind: 'mergeIn', source: lot.source, occurredAt: lot.occurredAt },
      { activatesAt: lot.activatesAt, expiresAt: lot.slides ? null : lot.expiresAt },
      false, // what was written off comes before what is owed, which waits for what comes later
    )
    if (full) return full
    came.push(...to.books.lots.slice(-1))
    const spend = encodeEntryId(from.books.state.member, made.reverses ?? 0)
    to.events.push(tell(to.books.state, 'points.refunded', { entry: to.books.state.entrySeq, spend }))
  }
  if (from.books.state.mergedInto !== null) from.books.state.dueAt = 0 // nothing is left that time could change
  const when = { at: facts.now, now: facts.now }
  const wallet = stateOf(to.books.state, walletId)
  makeGood(to.books, wallet, came, when, ([source, , , then = source]) => spent.source < then) // ids of one clock are in order
  recover(to.books, wallet, came)
  if (to.books.known) wallet.o = lowestOpen(to.books.lots, walletId)
  return undefined
}

/**
 * Until when what comes back to a lot lives whose end has passed: the grace of its wallet, but once. A lot that went on so before has
 * an entry that says so (a move that names a refund), and so has the lot in which it went on.
 */
export function graceOf(slices: Slices, member: Uuid, facts: Facts, { walletId }: Pick<Entry, 'walletId'>): Grace {
  const wallet = slices.configuration.byWalletId.get(walletId)
  const period = wallet?.settings.refundGrace ?? null
  return (lot) => {
    const fate = slices.fates.get(`${member} ${lot.seq}`)
    if (!fate) throw new MovedError(`what became of lot ${lot.seq} was not read`)
    const had = [fate, ...fate.uses].some((one) => one.kind === KINDS.move.code && one.reverses !== null)
    return period === null || had ? undefined : addPeriod(facts.now, period, wallet?.program.timezone ?? 'UTC')
  }
}
