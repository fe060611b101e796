import { encodeEntryId, type Uuid } from '@laurel/contract/ids'
import { isFar } from '@laurel/contract/instants'
import type { Pending } from '@laurel/contract/wallets'
import type { Activity } from '../activities/activities.rules.ts'
import { type Configuration, type Program, versionById } from '../earning/configuration.ts'
import type { Dates, Lot } from '../ledger/books.ts'
import { moveLot } from '../ledger/moves.rules.ts'
import { expiryOf } from '../programs/policies.rules.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import { saidWhenGiven } from './dates.ts'
import { tell } from './decisions.ts'
import { MovedError } from './faults.ts'
import type { Slices } from './slices.ts'
import { expiryHeld } from './tier-expiry.ts'

/**
 * Whether anything of the program may wait for activities of that type: only then are lots read. What the member has pending is not asked:
 * it may be given by an ask of the same list.
 */
export function mayWait(c: Configuration, ours: Program, type: string): boolean {
  return walletsWaiting(c, ours, type).size > 0
}

const known = new WeakMap<Configuration, Map<string, ReadonlySet<number>>>()

/** Wallets in which something may wait for it: as the wallet says or said, or any version of a rule that gives in it. */
function walletsWaiting(c: Configuration, ours: Program, type: string): ReadonlySet<number> {
  let byType = known.get(c)
  if (!byType) known.set(c, (byType = new Map()))
  const key = `${ours.programId} ${type}`
  let wallets = byType.get(key)
  if (!wallets) {
    const waits = (pending: Pending | undefined) => pending?.kind === 'event' && pending.activity === type
    wallets = new Set([
      ...ours.wallets
        .filter(({ settings, past = [] }) => [settings, ...past].some(({ pending }) => waits(pending)))
        .map(({ walletId }) => walletId),
      ...(c.rules.get(ours.programId) ?? [])
        .flatMap((rule) => rule.versions)
        .filter(({ terms }) => waits(terms.pending))
        .map(({ walletId }) => walletId),
    ])
    byType.set(key, wallets)
  }
  return wallets
}

/**
 * Points of the member that waited for this activity go on as points that can be spent from now on. The ids of the entries in which they do.
 */
export function activateWaiting(
  slices: Slices,
  ours: Program,
  { books, events }: Opened,
  activity: Activity,
  facts: Facts,
): string[] {
  const c = slices.configuration
  if (!mayWait(c, ours, activity.type)) return []
  if (!books.known) throw new MovedError('points may wait for an activity of a member whose lots were not read')
  const waiting = books.lots.filter(
    (lot) => isFar(lot.activatesAt) && lot.remaining > lot.held && waitsFor(c, ours, lot, activity.type),
  )
  return waiting.map((lot) => {
    const moved = moveLot(books, lot, begunDates(slices, activity.member, lot, facts), {
      digest: activity.digest,
      now: facts.now,
      reason: activity.type,
      ...(facts.actor ? { actor: facts.actor } : {}),
    })
    events.push(tell(books.state, 'points.activated', { entry: moved.seq, points: moved.points }))
    return encodeEntryId(activity.member, moved.seq)
  })
}

/**
 * Of points that waited for an event: from now on, until the end that their rule says, or else the tier that was held when
 * they were earned, or else their wallet, as it was then.
 */
export function begunDates(slices: Slices, member: Uuid, lot: Lot, { now }: Pick<Facts, 'now'>): Dates {
  const { configuration } = slices
  const wallet = configuration.byWalletId.get(lot.walletId)
  if (!wallet) throw new Error(`wallet ${lot.walletId} is not in the configuration`)
  const rule = ruleTerms(configuration, lot)
  const expiry = rule?.expiry ?? expiryHeld(slices, member, lot) ?? saidWhenGiven(wallet, lot).expiry
  return { activatesAt: now, expiresAt: expiryOf(expiry, lot.occurredAt, now, wallet.program.timezone) }
}

function waitsFor(c: Configuration, ours: Program, lot: Lot, type: string): boolean {
  const wallet = c.byWalletId.get(lot.walletId)
  if (wallet?.program.programId !== ours.programId) return false
  const pending = ruleTerms(c, lot)?.pending ?? saidWhenGiven(wallet, lot).pending
  return pending.kind === 'event' && pending.activity === type
}

function ruleTerms(c: Configuration, lot: Lot) {
  return lot.ruleVersionId === null ? undefined : versionById(c, lot.ruleVersionId)?.terms
}
