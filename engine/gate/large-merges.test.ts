import { expect, test } from 'vitest'
import type { Uuid } from '../../contract/ids.ts'
import { growsWithRows, Reads } from '../../tests/reads.ts'
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

/** A merge of a member who has so many lots. */
function merged(many: number) {
  const lots = Array.from(
    { length: many },
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
  const wallet = { ...emptyWallet(1), b: many, e: many, o: 1 }
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
  const from = open(stateOf(other, { entrySeq: many, wallets: [wallet] }), lots)
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

/** Of both members' books and of what the merge remembers. */
function watched(many: number) {
  const reads = new Reads()
  const { from, to, one } = merged(many)
  for (const { books } of [from, to]) {
    books.lots = reads.of(books.lots)
    books.entries = reads.of(books.entries)
    books.uses = reads.of(books.uses)
  }
  one.lots = reads.of(one.lots)
  const slices = {
    merges: new Map([[one.id, { ...one, undoneAt: 6 }]]),
    states: new Map([from, to].map(({ books }) => [books.state.member, books.state])),
  } as unknown as Slices
  return { reads, from, to, one, slices }
}

test('thousands of lots are merged without looking at all for each', () => {
  growsWithRows(300, (many) => {
    const { reads, from, to, one } = watched(many)
    const head = { at: 5, events: [], names: [] }
    const also: Changes = { ...head, member: one.other, books: from.books }
    const changes: Changes = { ...head, member: one.member, books: to.books, merges: one, also }
    const statements = reads.during(() => save(1, newId(), 5, [{ outcome: undefined, changes }]))
    expect(statements.length).toBeGreaterThan(3)
    return reads.times
  })
})

test('and known again when that is undone', () => {
  growsWithRows(300, (many) => {
    const { reads, to, one, slices } = watched(many)
    const sources = to.books.lots.map(({ source }) => source)
    const look = () => {
      const ownerOf = ownersOf(slices, one.member, 1)
      return [...sources, newId()].map((source) => ownerOf(source))
    }
    expect(new Set(reads.during(look))).toEqual(new Set([one.other, undefined]))
    return reads.times
  })
  growsWithRows(300, (many) => {
    const { reads, from, one, slices } = watched(many)
    const goneOn = from.books.lots.map(({ walletId, source }) => ({ member: one.other, walletId, source }))
    const watchedToo = reads.of(goneOn)
    expect(reads.during(() => togetherOf(slices, one, [], watchedToo)).came.size).toBe(many)
    return reads.times
  })
})
