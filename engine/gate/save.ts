import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type AnswerRow, insertAnswers } from '../base/answers.ts'
import type { Statement } from '../base/db.ts'
import { insertNames, type NameRow } from '../base/names.ts'
import { insertEvents, type NewEvent } from '../base/outbox.ts'
import {
  type EntryOf,
  insertEntries,
  insertLotUses,
  insertStates,
  saveLots,
  updateStates,
} from '../ledger/ledger.sql.ts'
import type { LotUse, MemberState } from '../ledger/ledger.rules.ts'
import { insertMembers } from '../members/members.sql.ts'
import { insertPurchases, insertReturns, updateReturned } from '../purchases/purchases.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Outcome } from './asks.ts'
import type { Changes } from './decisions.ts'

/** What a list has decided of one ask, and what of it is to be written. */
export type Answered = {
  outcome: Outcome | undefined
  changes?: Changes | undefined
  store?: AnswerRow | undefined
  fault?: Error
}

/** All that a list writes, a table at a time. */
type Writes = {
  answers: AnswerRow[]
  names: NameRow[]
  joined: { member: Uuid; externalId: string; at: Instant }[]
  states: { state: MemberState; read: number }[]
  newStates: MemberState[]
  purchases: Purchase[]
  returned: Purchase[]
  returns: Return[]
  entries: EntryOf[]
  lots: { member: Uuid; seq: number; remaining: number }[]
  uses: (LotUse & { member: Uuid })[]
  events: NewEvent[]
}

/**
 * What a list writes in the one order in which all lists write: idempotency keys and names, members' states, then the rest; rows of
 * a table in ascending key order, so that lists wait for each other and do not deadlock. One statement a
 * table. They are whole before the first is sent: what cannot be made (too many events for one transaction, a number out of
 * range) throws here, and nothing is written.
 */
export function save(
  space: number,
  batchId: Uuid,
  now: Instant,
  answered: readonly Answered[],
  unguarded = false,
): Statement[] {
  const w = collect(answered)
  return [
    ...insertAnswers(space, w.answers),
    ...insertNames(space, w.names),
    ...updateStates(space, w.states, unguarded),
    ...insertMembers(space, w.joined),
    ...insertStates(space, w.newStates),
    ...insertPurchases(space, w.purchases),
    ...updateReturned(space, w.returned),
    ...insertReturns(space, w.returns),
    ...insertEntries(space, w.entries),
    ...saveLots(space, w.lots),
    ...insertLotUses(space, w.uses),
    ...insertEvents(space, batchId, now, w.events),
  ]
}

function collect(answered: readonly Answered[]): Writes {
  const w: Writes = {
    answers: [],
    names: [],
    joined: [],
    states: [],
    newStates: [],
    purchases: [],
    returned: [],
    returns: [],
    entries: [],
    lots: [],
    uses: [],
    events: [],
  }
  const states = new Map<Uuid, { state: MemberState; read: number; isNew: boolean }>()
  const purchases = new Map<Uuid, Purchase>()
  const returned = new Map<Uuid, Purchase>()
  const lots = new Map<string, Writes['lots'][number]>()
  for (const { changes, store } of answered) {
    if (store) w.answers.push(store)
    if (!changes) continue
    const { member, books } = changes
    const known = states.get(member)
    if (known) known.state = books.state
    else states.set(member, { state: books.state, read: books.state.version - 1, isNew: changes.enrols !== undefined })
    if (changes.enrols) w.joined.push({ member, externalId: changes.enrols.externalId, at: changes.at })
    for (const name of changes.names) w.names.push(name)
    if (changes.purchase) purchases.set(changes.purchase.id, changes.purchase)
    for (const p of changes.returned ?? []) (purchases.has(p.id) ? purchases : returned).set(p.id, p)
    if (changes.returns) w.returns.push(changes.returns)
    for (const entry of books.entries) w.entries.push({ ...entry, member })
    for (const use of books.uses) {
      w.uses.push({ ...use, member })
      const lot = books.lots.find((l) => l.seq === use.lotSeq)
      if (lot) lots.set(`${member} ${lot.seq}`, { member, seq: lot.seq, remaining: lot.remaining })
    }
    for (const event of changes.events) w.events.push(event)
  }
  for (const one of states.values()) {
    if (one.isNew) w.newStates.push(one.state)
    else w.states.push(one)
  }
  w.purchases.push(...purchases.values())
  w.returned.push(...returned.values())
  w.lots.push(...lots.values())
  w.answers.sort((a, b) => order(a.key, b.key))
  w.names.sort((a, b) => order(a.key, b.key))
  w.states.sort((a, b) => order(a.state.member, b.state.member))
  w.entries.sort((a, b) => order(a.member, b.member) || a.seq - b.seq)
  w.purchases.sort((a, b) => order(a.member, b.member))
  w.lots.sort((a, b) => order(a.member, b.member) || a.seq - b.seq)
  return w
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
