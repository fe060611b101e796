import { encodeEntryId, encodeId } from '@laurel/contract/ids'
import { kindOf } from './accounts.ts'
import type { Books } from './audit.rules.ts'
import { type Entry, type Hold, HOLD_STATUS } from './books.ts'
import { takenOf } from './holds.rules.ts'

/** What open holds set aside is there, lot by lot; and what was captured was taken from what was held. */
export function auditHolds(books: Books): string | undefined {
  const { state, entries, lots, holds } = books
  const left = new Map(lots.map((lot) => [lot.seq, lot.remaining]))
  const held = new Map<number, number>()
  for (const hold of holds) {
    const wrong = auditParts(hold, entries) ?? auditEnd(hold) ?? auditCapture(hold, books)
    if (wrong) return `hold ${encodeId('hld', hold.id)}: ${wrong}`
    if (hold.status !== HOLD_STATUS.open) continue
    for (const [seq, points] of hold.parts.flatMap((part) => part.l)) held.set(seq, (held.get(seq) ?? 0) + points)
  }
  for (const [seq, points] of held) {
    const there = left.get(seq) ?? entries[seq - 1]?.points ?? 0
    if (points > there) return `lot ${encodeEntryId(state.member, seq)}: ${points} points are held, ${there} are left`
  }
  return undefined
}

function auditParts(hold: Hold, entries: readonly Entry[]): string | undefined {
  for (const part of hold.parts) {
    if (part.l.reduce((sum, [, points]) => sum + points, 0) !== part.p) return `its lots do not add up to ${part.p}`
    for (const [seq] of part.l) {
      if (entries[seq - 1]?.walletId !== part.w || entries[seq - 1]?.activatesAt === undefined)
        return `there is no such lot ${seq} in its wallet`
    }
  }
  return undefined
}

function auditEnd({ status, placedAt, deadline, settledAt, captured }: Hold): string | undefined {
  if ((status === HOLD_STATUS.open) !== (settledAt === null)) return 'its state and its end disagree'
  if ((status === HOLD_STATUS.captured) !== (captured !== null)) return 'its state and what was captured disagree'
  if (settledAt === null) return undefined
  if (status === HOLD_STATUS.lapsed)
    return settledAt === deadline ? undefined : 'it lapsed at another time than it says'
  return settledAt >= placedAt && settledAt < deadline ? undefined : 'it was settled after its deadline'
}

/** Its entries spend what it says, out of the very lots. */
function auditCapture(hold: Hold, { entries, uses }: Books): string | undefined {
  for (const [i, part] of hold.parts.entries()) {
    const [points, seq] = hold.captured?.[i] ?? [0, 0]
    if (points > part.p) return 'more was captured than it held'
    if (points === 0) continue
    const entry = entries[seq - 1]
    if (entry?.source !== hold.id || entry.walletId !== part.w || kindOf(entry) !== 'spend' || entry.points !== points)
      return `no entry spends the ${points} points that were captured`
    const took = uses.filter((use) => use.seq === seq).map((use) => `${use.lotSeq} ${use.points}`)
    const due = takenOf(part, points).map(([lot, taken]) => `${lot} ${taken}`)
    if (took.sort().join() !== due.sort().join()) return 'what was captured came out of other lots'
  }
  return undefined
}
