import { expect, test } from 'vitest'
import type { Uuid } from '../../contract/ids.ts'
import { newId } from '../base/ids.ts'
import type { Lot, MemberState } from '../ledger/books.ts'
import { draft } from '../ledger/ledger.rules.ts'
import { emptyWallet } from '../ledger/wallets.rules.ts'
import type { Merge } from '../members/merges.sql.ts'
import { ownersOf } from './apart.ts'
import type { Facts } from './asks.ts'
import type { Opened } from './books.ts'
import type { Changes } from './decisions.ts'
import { togetherOf } from './merge-slices.ts'
import { moveAll } from './merging.ts'
import { save } from './save.ts'
import type { Slices } from './slices.ts'

const LOTS = 30_000

/** A merge of a member who has as many lots as a shop's best customer has after twenty years. */
function merged() {
  const lots = Array.from(
    { length: LOTS },
    (_, i): Lot => ({
      seq: i + 1,
      walletId: 1,
      source: newId(),
      points: 1,
      remaining: 1,
      held: 0,
      activatesAt: 1,
      expiresAt: null,
      slides: false,
      bookedAt: 1,
      occurredAt: 1,
      ruleVersionId: null,
    }),
  )
  const wallet = { ...emptyWallet(1), b: LOTS, e: LOTS, o: 1 }
  const stateOf = (member: Uuid, more: object) =>
    ({
      member,
      version: 1,
      status: 1,
      mergedInto: null,
      entrySeq: 0,
      eventSeq: 0,
      chain: '',
      dueAt: 0,
      told: 0,
      ...more,
    }) as MemberState
  const open = (state: MemberState, held: Lot[]): Opened => ({
    books: draft(state, { lots: held, holds: [] }, () => ({ notice: 0 }) as never),
    events: [],
  })
  const [member, other, id] = [newId(), newId(), newId()]
  const from = open(stateOf(other, { entrySeq: LOTS, wallets: [wallet] }), lots)
  const to = open(stateOf(member, { wallets: [] }), [])
  const one: Merge = {
    member,
    id,
    other,
    status: 1,
    reason: 'one',
    digest: newId(),
    mergedAt: 5,
    undoneAt: null,
    lots: [],
    debts: [],
    undone: null,
  }
  expect(moveAll(from, to, one, { now: 5, id } as Facts)).toBeUndefined()
  return { from, to, one }
}

function milliseconds(work: () => void): number {
  const before = performance.now()
  work()
  return performance.now() - before
}

test('thirty thousand lots are merged, and known again when that is undone, without looking at all for each', () => {
  const { from, to, one } = merged()
  const head = { at: 5, events: [], names: [] }
  const also: Changes = { ...head, member: one.other, books: from.books }
  const changes: Changes = { ...head, member: one.member, books: to.books, merges: one, also }
  let statements: unknown[] = []
  expect(milliseconds(() => (statements = save(1, newId(), 5, [{ outcome: undefined, changes }])))).toBeLessThan(3_000)
  expect(statements.length).toBeGreaterThan(3)

  const slices = {
    merges: new Map([[one.id, { ...one, undoneAt: 6 }]]),
    states: new Map([from, to].map(({ books }) => [books.state.member, books.state])),
  } as unknown as Slices
  const owners = new Set<Uuid | undefined>()
  const look = () => {
    const ownerOf = ownersOf(slices, one.member, 1)
    for (const lot of to.books.lots) owners.add(ownerOf(lot.source))
    expect(ownerOf(newId())).toBeUndefined()
  }
  expect(milliseconds(look)).toBeLessThan(3_000)
  expect([...owners]).toEqual([one.other])

  const goneOn = from.books.lots.map(({ walletId, source }) => ({
    member: one.other,
    walletId,
    source,
    spent: one.id,
    points: 1,
  }))
  let came = 0
  const again = () => (came = togetherOf(slices, one, [], goneOn).came.size)
  expect(milliseconds(again)).toBeLessThan(3_000)
  expect(came).toBe(LOTS)
})
