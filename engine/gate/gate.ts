import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { refusal } from '@laurel/contract/refusals'
import { newId } from '../base/ids.ts'
import { configurations } from '../earning/configuration.ts'
import type { Uuid } from '@laurel/contract/ids'
import type { Ask, Facts, Outcome, Submit } from './asks.ts'
import { isCard, memberRef } from '../members/refs.ts'
import { shownAt, shownDigits } from './cards.ts'
import { laneOf } from './names.ts'
import { type Item, type ListDeps, refused, runList } from './list.ts'
import { verbOf } from './verbs.ts'

/**
 * The door through which all that changes points goes. Asks that arrive while lists are under way wait and go together in the
 * next one: no artificial wait, and the busier it is the fewer transactions a purchase costs. A member is in at most one
 * list at a time, so that asks of one member are decided in the order in which they came, but that one of two members
 * waits for both, and others may go before it meanwhile. Single requests go before bulk. The queue is bounded: beyond it
 * callers are asked to come back.
 */
export type Gate = {
  submit(space: number, ask: Ask, submit?: Submit, priority?: 'single' | 'bulk'): Promise<Outcome>
  stats(): { waiting: number; lists: number; inFlight: number; asks: number; largest: number }
  /** Waits for what was submitted; refuses what comes after. */
  close(): Promise<void>
}

export type GateOptions = {
  pool: pg.Pool
  onFault?: (error: Error, verb: Ask['verb']) => void
  listsInFlight?: number
  singlesMax?: number
  bulkMax?: number
  waitingMax?: number
  bulkWaitingMax?: number
  /** what the digits of rotating cards are derived from; without it none are right */
  secret?: string | undefined
  /** for the tests' control only */
  unguarded?: boolean
}

type Waiting = Item & {
  space: number
  arrived: number
  queue: Queue
  /** of the members that it concerns and what it shares with others: one list at a time holds each */
  keys: readonly [string, ...string[]]
  settle: (outcome: Outcome) => void
  fail: (fault: Error) => void
}
/** `waiting`: in it, parked or in a list. */
type Queue = { items: Waiting[]; max: number; waiting: number; waitingMax: number }

/** Single requests go first, but for one list in so many: a batch is waited for, too. */
const BULK_EVERY = 8
/** How long an ask may wait for its turn before its caller is asked to come back. */
const PATIENCE = 5_000
const SWEEP_MS = 250

// oxlint-disable-next-line max-lines-per-function -- one closure over one state; each function in it is short
export function createGate(options: GateOptions): Gate {
  const known = configurations()
  const deps: ListDeps = {
    pool: options.pool,
    configurationAt: (db, version) => known.get(db, version),
    onFault: options.onFault ?? (() => {}),
    caution: 0,
    ...(options.unguarded ? { unguarded: true } : {}),
  }
  const singles: Queue = {
    items: [],
    max: options.singlesMax ?? 100,
    waiting: 0,
    waitingMax: options.waitingMax ?? 10_000,
  }
  const bulk: Queue = {
    items: [],
    max: options.bulkMax ?? 500,
    waiting: 0,
    waitingMax: options.bulkWaitingMax ?? 20_000,
  }
  const listsMax = options.listsInFlight ?? 2
  /** Members in a list, and who waits for them. */
  const busy = new Map<string, Waiting[]>()
  const stats = { waiting: 0, lists: 0, inFlight: 0, asks: 0, largest: 0 }
  const keys = new Set<string>()
  let scheduled = false
  let sweeper: NodeJS.Timeout | undefined
  let closing: (() => void) | undefined

  function submit(space: number, ask: Ask, how: Submit = {}, priority: 'single' | 'bulk' = 'single'): Promise<Outcome> {
    if (closing) return Promise.resolve(refused(refusal('overloaded', 'the server is stopping')))
    const queue = priority === 'single' ? singles : bulk
    if (queue.waiting >= queue.waitingMax) {
      return Promise.resolve(refused(refusal('overloaded', `${queue.waitingMax} asks are waiting`)))
    }
    return new Promise((settle, fail) => {
      const now = Date.now()
      stats.waiting += 1
      queue.waiting += 1
      queue.items.push({
        space,
        ask,
        submit: how,
        arrived: now,
        queue,
        keys: keysOf(space, ask),
        settle,
        fail,
        facts: factsOf(ask, now, how.actor, { space, secret: options.secret }),
      })
      sweeper ??= setInterval(sweep, SWEEP_MS).unref()
      schedule()
    })
  }

  /** In the next turn of the loop, so that all that was read from sockets in this one goes together. */
  function schedule(): void {
    if (scheduled || stats.inFlight >= listsMax) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      while (stats.inFlight < listsMax) {
        const list = stats.lists % BULK_EVERY === 0 ? (take(bulk) ?? take(singles)) : (take(singles) ?? take(bulk))
        if (!list) break
        void run(list)
      }
    })
  }

  /** The next list: asks of one space, in order, none of a member who is in another list. */
  function take(queue: Queue): Waiting[] | undefined {
    const first = queue.items.find((item) => !park(item))
    if (!first) {
      queue.items.length = 0
      return undefined
    }
    const list: Waiting[] = []
    const rest: Waiting[] = []
    let reached = false
    for (const item of queue.items) {
      if (item === first) reached = true
      if (!reached) continue
      if (list.length === queue.max || item.space !== first.space) rest.push(item)
      else if (item === first || !park(item)) list.push(item)
    }
    queue.items = rest
    return list
  }

  /** Puts an ask to wait for its member, when that member (or the other that it concerns, or what it shares) is in a list. */
  function park(item: Waiting): boolean {
    const held = item.keys.find((key) => busy.has(key))
    if (held === undefined) return false
    busy.get(held)?.push(item)
    return true
  }

  async function run(list: Waiting[]): Promise<void> {
    for (const item of list) {
      for (const key of item.keys) busy.set(key, [])
      if (item.submit.idempotency) keys.add(item.submit.idempotency.key)
    }
    stats.inFlight += 1
    stats.lists += 1
    stats.asks += list.length
    stats.largest = Math.max(stats.largest, list.length)
    try {
      await runList(deps, list[0]?.space ?? 0, list)
    } catch (error) {
      for (const item of list) item.fault ??= error as Error
    }
    stats.inFlight -= 1
    stats.waiting -= list.length
    for (const item of list) item.queue.waiting -= 1
    release(list)
    for (const item of list) {
      if (item.outcome) item.settle(item.outcome)
      else item.fail(item.fault ?? new Error('a list ended without an answer to one of its asks'))
    }
    schedule()
    if (closing && stats.waiting === 0) closing()
  }

  /** Those who waited for these members go first, in their order. */
  function release(list: readonly Waiting[]): void {
    const parked: Waiting[] = []
    for (const item of list) {
      if (item.submit.idempotency) keys.delete(item.submit.idempotency.key)
      for (const key of item.keys) {
        const waiters = busy.get(key)
        busy.delete(key)
        if (waiters) parked.push(...waiters)
      }
    }
    for (const queue of [singles, bulk]) {
      const own = parked.filter((item) => item.queue === queue)
      if (own.length > 0) queue.items = [...own, ...queue.items]
    }
  }

  /** Single requests that waited too long are answered: they were not begun, so it is safe to ask again. */
  function sweep(): void {
    if (stats.waiting === 0) {
      clearInterval(sweeper)
      sweeper = undefined
      return
    }
    const before = Date.now() - PATIENCE
    const patient = (item: Waiting): boolean => {
      if (item.queue === bulk || item.arrived > before) return true
      stats.waiting -= 1
      item.queue.waiting -= 1
      const running = item.submit.idempotency !== undefined && keys.has(item.submit.idempotency.key)
      item.settle(waitedTooLong(running))
      return false
    }
    singles.items = singles.items.filter(patient)
    for (const [member, waiters] of busy) busy.set(member, waiters.filter(patient))
  }

  return {
    submit,
    stats: () => ({ ...stats }),
    async close() {
      const done = new Promise<void>((resolve) => {
        closing = resolve
      })
      if (stats.waiting > 0) await done
      clearInterval(sweeper)
    },
  }
}

function waitedTooLong(running: boolean): Outcome {
  return refused(
    running
      ? refusal('idempotency_in_progress', 'the first request with this Idempotency-Key is still running')
      : refusal('overloaded', `not begun after ${PATIENCE / 1000} seconds`),
  )
}

/** What is fixed as an ask arrives. */
export function factsOf(
  ask: Ask,
  ms: number,
  actor: Uuid | undefined,
  where: { space: number; secret?: string | undefined } = { space: 0 },
): Facts {
  const member = memberRef(ask.member)
  const other = memberRef(verbOf(ask).other?.(ask))
  return {
    now: ms * 1000,
    id: newId(ms),
    actor,
    member,
    other,
    newMember: member && 'externalId' in member ? newId(ms) : undefined,
    name: verbOf(ask).name(ask),
    ...(isCard(member) ? { digits: shownDigits(member.card, where, shownAt(ask, ms * 1000)) } : {}),
    ...(isCard(other) ? { otherDigits: shownDigits(other.card, where, ms * 1000) } : {}),
    ...(verbOf(ask).chance ? { chance: randomBytes(16).toString('hex') } : {}),
  }
}

function keysOf(space: number, ask: Ask): readonly [string, ...string[]] {
  const verb = verbOf(ask)
  const other = verb.other?.(ask)
  const shared = verb.shares?.(ask) ?? []
  if (other === undefined && shared.length === 0) return [`${space} ${laneOf(ask)}`]
  return [laneOf(ask), ...(other === undefined ? [] : [other]), ...shared].map((key) => `${space} ${key}`) as [string]
}
