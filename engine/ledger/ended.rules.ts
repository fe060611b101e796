import type { Uuid } from '@laurel/contract/ids'
import { KINDS } from './accounts.ts'
import type { Draft, Entry, LotUse } from './books.ts'

/** Points of one source's lots in one wallet that ended unused; below zero: they came again. */
export type Ended = { source: Uuid; walletId: number; points: number }

export function endedKey(source: Uuid, walletId: number): string {
  return `${source} ${walletId}`
}

/**
 * What of sources' lots ended by these entries without having been used: it expired, or was cancelled while it was pending; and what
 * of it was reinstated. `sourceOf`: of the lot of that seq.
 */
export function endedIn(
  entries: readonly Pick<Entry, 'seq' | 'kind' | 'walletId' | 'points' | 'source'>[],
  uses: readonly LotUse[],
  sourceOf: (lotSeq: number) => Uuid | undefined,
): Ended[] {
  const ends = new Map<number, number>()
  const found: Ended[] = []
  for (const { seq, kind, walletId, points, source } of entries) {
    if (kind === KINDS.expire.code || kind === KINDS.cancel.code) ends.set(seq, walletId)
    else if (kind === KINDS.reinstate.code) found.push({ source, walletId, points: -points })
  }
  if (ends.size === 0) return found
  for (const { seq, lotSeq, points } of uses) {
    const walletId = ends.get(seq)
    const source = walletId === undefined ? undefined : sourceOf(lotSeq)
    if (walletId !== undefined && source !== undefined) found.push({ source, walletId, points })
  }
  return found
}

/** The same of what was booked in a draft. */
export function endedInDraft({ entries, uses, lots }: Draft): Ended[] {
  let sources: Map<number, Uuid> | undefined
  return endedIn(entries, uses, (lotSeq) => {
    sources ??= new Map(lots.map((lot) => [lot.seq, lot.source]))
    return sources.get(lotSeq)
  })
}
