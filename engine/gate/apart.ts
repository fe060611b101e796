import type { Uuid } from '@laurel/contract/ids'
import type { Refusal } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import type { Entry, Lot } from '../ledger/books.ts'
import { hasEnded } from '../ledger/ledger.rules.ts'
import { loadStates } from '../ledger/states.sql.ts'
import { loadUndoneOf, type Merge } from '../members/merges.sql.ts'
import type { Facts } from './asks.ts'
import { type Opened, openBooks } from './books.ts'
import type { Changes } from './decisions.ts'
import { carryOn } from './refunds.ts'
import { findMember, type FurtherNeeds, type Slices } from './slices.ts'

/**
 * What had come along by a merge that was undone since is the other's, however late it comes back: of a spend that is undone, as what
 * was left of it then. Reads those merges of the members, and who they are by now.
 */
export async function loadApart(db: Db, needs: FurtherNeeds, slices: Slices): Promise<void> {
  const seen = new Set(needs.apart)
  for (let next = [...seen]; next.length > 0; ) {
    const merges = await loadUndoneOf(db, next)
    for (const one of merges) slices.merges.set(one.id, one)
    next = [...new Set(merges.map(({ other }) => other))].filter((other) => !seen.has(other))
    for (const other of next) seen.add(other)
    for (const state of await loadStates(db, next)) slices.states.set(state.member, state)
  }
}

function isUndone({ undoneAt }: Merge): boolean {
  return undoneAt !== null
}

/**
 * Whose lots of a source are by now that came to a member by merges which were undone; undefined: its own. Looked up once for all of a
 * wallet's lots: both these and what came along can be a hundred thousand.
 */
export function ownersOf(slices: Slices, member: Uuid, walletId: number): (source: Uuid) => Uuid | undefined {
  const lastTo = new Map<string, Uuid>()
  const undone = [...slices.merges.values()].filter(isUndone).sort((a, b) => (a.undoneAt ?? 0) - (b.undoneAt ?? 0))
  for (const one of undone)
    for (const [w, , , , source] of [...one.lots, ...(one.undone ?? [])])
      if (w === walletId) lastTo.set(`${one.member} ${source}`, one.other)
  const own = findMember(slices, { id: member })
  return (source) => {
    let owner = member
    const seen = new Set<Uuid>()
    while (!seen.has(owner)) {
      seen.add(owner)
      owner = lastTo.get(`${owner} ${source}`) ?? owner
    }
    const now = findMember(slices, { id: owner })
    return now && now !== own ? now.member : undefined
  }
}

/** Whether a lot that something comes back to is the member's own, and does not go on to whose it is by now. */
export function isOwn(slices: Slices, member: Uuid, walletId: number): (lot: Lot) => boolean {
  const ownerOf = ownersOf(slices, member, walletId)
  return ({ source }) => ownerOf(source) === undefined
}

/** Who else may have what comes back to the members: their books are to be known. */
export function needOwners(slices: Slices, needs: FurtherNeeds): void {
  for (const one of slices.merges.values()) {
    const other = isUndone(one) ? findMember(slices, { id: one.other }) : undefined
    if (other) needs.lots.add(other.member)
  }
}

/** What came back to a member goes on to whose it is; `owners`: their books, opened as they are needed. */
export function sendHome(
  slices: Slices,
  from: Opened,
  owners: Map<Uuid, Opened>,
  spent: Pick<Entry, 'source'>,
  made: Entry,
  facts: Facts,
): Refusal | undefined {
  const { member } = from.books.state
  const back = from.books.lots.filter((lot) => lot.walletId === made.walletId && !hasEnded(lot, facts.now))
  const ownerOf = ownersOf(slices, member, made.walletId)
  for (const owner of new Set(back.map((lot) => ownerOf(lot.source)))) {
    const state = owner === undefined ? undefined : slices.states.get(owner)
    if (!state || owner === undefined) continue
    const to = owners.get(owner) ?? openBooks(slices, state, facts)
    owners.set(owner, to)
    const no = carryOn(from, to, spent, made, facts, (lot) => ownerOf(lot.source) === owner)
    if (no) return no
  }
  return undefined
}

/** What that changes of all these members, one after the other. */
export function alsoOf(owners: Iterable<Opened>, facts: Facts): { also?: Changes } {
  let last: { also?: Changes } = {}
  for (const { books, events } of owners)
    last = { also: { member: books.state.member, at: facts.now, books, events, names: [], ...last } }
  return last
}
