import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { KINDS } from '../ledger/accounts.ts'
import type { Draft } from '../ledger/books.ts'
import { type Ended, endedInDraft, endedKey } from '../ledger/ended.rules.ts'
import { loadEnded, loadFates } from '../ledger/fates.sql.ts'
import { loadLotsBySeq, loadLotUses } from '../ledger/ledger.sql.ts'
import type { FurtherNeeds, Slices } from './slices.ts'

/** What entries took from lots, less what was given back of it since; those lots whatever is left of them, and what became of them. */
export async function loadUses(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  if (needs.uses.length === 0 && needs.lotsBySeq.length === 0) return
  const keys = new Map(needs.lotsBySeq.map((key) => [`${key.member} ${key.seq}`, key]))
  const spends = new Map(needs.uses.map((key) => [`${key.member} ${key.seq}`, key])) // each once: what they took is summed
  for (const key of spends.keys()) slices.uses.set(key, [])
  const uses = await loadLotUses(db, [...spends.values()])
  for (const use of uses) {
    slices.uses.get(`${use.member} ${use.seq}`)?.push(use)
    keys.set(`${use.member} ${use.lotSeq}`, { member: use.member, seq: use.lotSeq })
  }
  const [lots, fates] = await Promise.all([loadLotsBySeq(db, [...keys.values()]), loadFates(db, [...keys.values()])])
  for (const [member, own] of Map.groupBy(lots, (lot) => lot.member)) {
    const known = slices.lots.get(member)
    if (!known) throw new Error('lots by number are only known beside the open ones')
    const open = new Set(known.map(({ seq }) => seq))
    for (const lot of own) if (!open.has(lot.seq)) known.push(lot)
  }
  for (const [key, fate] of fates) slices.fates.set(key, fate)
}

/** What ended unused of the points that the purchases at hand gave, where something comes back of any of them. */
export async function loadEndedOf(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  if (!needs.ended) return
  const gave = [...slices.purchases.values()].filter((purchase) => purchase.awards.length > 0)
  const keys = gave.map(({ member, id, awards }) => ({
    member,
    source: id,
    from: Math.min(...awards.map((a) => a[3])),
  }))
  addEnded(slices.ended, await loadEnded(db, keys))
}

/** How much of what a purchase gave a wallet ended unused, by what was booked and what these books are about to. */
export function endedBy(slices: Slices, books: Draft): (source: Uuid, walletId: number) => number {
  const now = new Map<string, number>()
  addEnded(now, endedInDraft(books))
  return (source, walletId) => {
    const key = endedKey(source, walletId)
    return (slices.ended.get(key) ?? 0) + (now.get(key) ?? 0)
  }
}

function addEnded(sums: Map<string, number>, ended: readonly Ended[]): void {
  for (const { source, walletId, points } of ended) {
    const key = endedKey(source, walletId)
    sums.set(key, (sums.get(key) ?? 0) + points)
  }
}

/** What a decision took from lots or gave back, as the asks after it see it. */
export function applyUses(slices: Slices, member: Uuid, books: Draft): void {
  addEnded(slices.ended, endedInDraft(books))
  if (slices.fates.size === 0 && slices.uses.size === 0) return
  const entries = new Map(books.entries.map((entry) => [entry.seq, entry]))
  for (const use of books.uses) {
    const entry = entries.get(use.seq)
    if (!entry) continue // a debt of before: neither a spend nor what became of a lot is asked of it
    const { seq, kind, bookedAt, reverses = null, activatesAt = null, expiresAt = null } = entry
    slices.fates
      .get(`${member} ${use.lotSeq}`)
      ?.uses.push({ seq, kind, points: use.points, reverses, bookedAt, activatesAt, expiresAt, again: null })
    const undone = reverses === null ? undefined : slices.uses.get(`${member} ${reverses}`)
    const same = undone?.find((one) => one.lotSeq === use.lotSeq)
    if (same) same.points += use.points
  }
  for (const { kind, seq, reverses } of books.entries) {
    if (kind !== KINDS.reinstate.code || reverses === undefined) continue
    for (const [key, fate] of slices.fates) {
      if (!key.startsWith(member)) continue
      for (const use of fate.uses) if (use.seq === reverses && use.kind === KINDS.expire.code) use.again = seq
    }
  }
}
