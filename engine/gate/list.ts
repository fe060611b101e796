import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { problem, type Refusal, REFUSALS, refusal } from '@laurel/contract/refusals'
import { run, withBound, withTx, writeAtOnce } from '../base/db.ts'
import { newId } from '../base/ids.ts'
import { lockState } from '../ledger/states.sql.ts'
import { lockUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import { lockBudgets } from '../limits/limits.sql.ts'
import type { Ask, Facts, Outcome, Submit } from './asks.ts'
import { type Decision, eachMember, isRefusal } from './decisions.ts'
import { apply, applyKept } from './apply.ts'
import { refusesCard } from './cards.ts'
import { faultOf, isHeldUp, isMoved, isOutage, MovedError } from './faults.ts'
import { laneOf } from './names.ts'
import { type Answered, save } from './save.ts'
import { loadSlices } from './load.ts'
import { showTiers } from './tier-answers.ts'
import { settleTiers } from './tiers.ts'
import { lockShared } from './redemption-slices.ts'
import { type ConfigurationAt, findMember, type Loading, type Slices } from './slices.ts'
import { verbOf } from './verbs.ts'
import { holdVouchers } from './voucher-slices.ts'

/** One ask on its way through a list. */
export type Item = { ask: Ask; submit: Submit; facts: Facts; outcome?: Outcome; fault?: Error }

export type ListDeps = {
  pool: pg.Pool
  configurationAt: ConfigurationAt
  onFault: (error: Error, ask: Ask['verb']) => void
  /** for the tests' control: what happens when versions are not compared */
  unguarded?: boolean
  /** lists that still look names up first, since a repeat came not long ago */
  caution: number
}

/** A list that lost this often runs its asks a member (or two) at a time, each holding its members. */
const LOSSES_MAX = 3
/** What takes from rows that many take from at once (stock, pools of codes, vouchers) would lose over and over: after one loss its list holds what it needs. */
const CONTENDED: ReadonlySet<Ask['verb']> = new Set(['redeem', 'cancelRedemption'])
const isContended = ({ ask }: Item): boolean => CONTENDED.has(ask.verb) || (verbOf(ask).shares?.(ask) ?? []).length > 0
/** Who loses even so, this often, does not lose to anyone: what is stored contradicts itself. */
const LOSSES_ABSURD = 8

/**
 * load → decide → save for asks of one space, all in one transaction; fills in every item's outcome.
 * When what was read has moved meanwhile (another process was faster), nothing was written and the list is read and
 * decided again: what takes from stock, pools or vouchers with all that it needs held, the asks whose members moved apart from the others, and alone with their members held when they lost three times. A fault halves the list
 * until the culprit stands alone, so that one poisoned item never spoils its neighbours.
 */
export async function runList(deps: ListDeps, space: number, items: Item[], losses = 0): Promise<void> {
  const parts = aroundMerges(items)
  if (parts.length > 1) for (const part of parts) await runList(deps, space, part, losses)
  if (parts.length > 1) return
  try {
    const groups = losses >= LOSSES_MAX ? byMembers(items) : []
    if (groups.length > 1) {
      for (const group of groups) await runList(deps, space, group, losses)
    } else if (losses >= LOSSES_MAX || (losses > 0 && items.some(isContended))) {
      await runAlone(deps, space, items)
    } else {
      await attempt(deps, space, items, losses > 0 || deps.caution > 0)
    }
  } catch (thrown) {
    const error = faultOf(thrown)
    if (isMoved(error)) deps.caution = CAUTION
    if (isMoved(error) && losses < LOSSES_ABSURD) await runMoved(deps, space, items, losses + 1)
    else if (isHeldUp(error)) await runHeldUp(deps, space, items, losses)
    else if (isOutage(error))
      for (const item of items)
        item.outcome ??= refused(refusal('unavailable', 'the database cannot be reached; try again shortly'))
    else if (items.length === 1) failed(deps, items[0] as Item, error)
    else {
      const half = items.length >> 1
      await runList(deps, space, items.slice(0, half), losses)
      await runList(deps, space, items.slice(half), losses)
    }
  }
}

/** A merge changes whose names are whose: what was read for those before it in a list is not what those after it go by. */
export function aroundMerges(items: Item[]): Item[][] {
  const isMerge = ({ ask }: Item) => ask.verb === 'merge' || ask.verb === 'unmerge'
  if (!items.some(isMerge)) return [items]
  const parts: Item[][] = []
  for (const item of items) {
    const last = parts.at(-1)
    if (last && ![item, ...last].some(isMerge)) last.push(item)
    else parts.push([item])
  }
  return parts
}

/** A row that a list needs is locked for long: only the ask that needs it is told so, or that its key is still in use. */
async function runHeldUp(deps: ListDeps, space: number, items: Item[], losses: number): Promise<void> {
  if (items.length > 1) {
    for (const item of items) await runList(deps, space, [item], losses)
    return
  }
  const [item] = items
  if (!item) return
  item.outcome = refused(
    item.submit.idempotency
      ? refusal(
          'idempotency_in_progress',
          'the first request with this Idempotency-Key, or another of this member, is still running',
        )
      : refusal('unavailable', 'something that this needs is held by others; nothing was stored'),
  )
}

/** How many lists look first after a repeat: replays and re-imports come in crowds. */
const CAUTION = 50

async function attempt(deps: ListDeps, space: number, items: Item[], look: boolean): Promise<void> {
  const read = await withBound(deps.pool, space, (db) => loadSlices(db, items.map(loading), look, deps.configurationAt))
  const answered = decideAll(read, items)
  const nothingNew = answered.some((a) => !a.changes && !a.kept && !a.fault)
  deps.caution = nothingNew ? CAUTION : Math.max(0, deps.caution - 1)
  if (!look && nothingNew) return await attempt(deps, space, items, true) // a refusal, perhaps of a repeat: look before saying so
  if (answered.some((a) => a.changes || a.kept || a.store)) {
    await writeAtOnce(deps.pool, space, save(space, newId(), bookedAt(items), answered, deps.unguarded))
  }
  settle(items, answered)
}

/** Asks of the same member, or of the same two, go together: who sends whom does not matter. */
function byMembers(items: readonly Item[]): Item[][] {
  const members = ({ ask }: Item) => [laneOf(ask), verbOf(ask).other?.(ask) ?? ''].sort().join(' ')
  return [...Map.groupBy(items, members).values()]
}

/** Asks of one member (or two), held for this transaction only: nobody can be faster. */
async function runAlone(deps: ListDeps, space: number, items: Item[]): Promise<void> {
  const answered = await withTx(deps.pool, space, async (tx) => {
    const load = () => loadSlices(tx, items.map(loading), true, deps.configurationAt)
    const slices = await load()
    const members = items.flatMap(({ facts }) => [findMember(slices, facts.member), findMember(slices, facts.other)])
    const ids = new Set(members.flatMap((member) => (member ? [member.member] : [])))
    for (const { changes } of decideAll(slices, items)) // a return may name only its purchase
      for (const { member } of changes ? eachMember(changes) : []) ids.add(member)
    await lockUnclaimed(tx, [...slices.unclaimed.keys()])
    for (const id of [...ids].sort()) await lockState(tx, id) // one at a time, in the order in which all take them
    if (slices.limits.asked.length > 0) await lockBudgets(tx, slices.limits.asked)
    await lockShared(tx, slices.redemptions)
    await holdVouchers(tx, slices.vouchers)
    const decided = decideAll(await load(), items)
    if (decided.some((a) => a.changes || a.kept || a.store))
      await run(tx, save(space, newId(), bookedAt(items), decided))
    return decided
  })
  settle(items, answered)
}

/** After a loss: who moved is decided again apart, so that those who did not are not held up a second time. */
async function runMoved(deps: ListDeps, space: number, items: Item[], losses: number): Promise<void> {
  if (items.length === 1 || losses === 1 || losses >= LOSSES_MAX || items.some((i) => i.facts.other))
    return await runList(deps, space, items, losses)
  const half = items.length >> 1
  const cut = items.toSorted((a, b) => (laneOf(a.ask) < laneOf(b.ask) ? -1 : laneOf(a.ask) > laneOf(b.ask) ? 1 : 0))
  const at = cut.findIndex((item, i) => i >= half && i > 0 && laneOf(item.ask) !== laneOf((cut[i - 1] as Item).ask))
  if (at <= 0) return await runList(deps, space, items, losses)
  await runList(deps, space, cut.slice(0, at), losses)
  await runList(deps, space, cut.slice(at), losses)
}

function loading({ ask, submit, facts }: Item): Loading {
  const verb = verbOf(ask)
  return {
    ask,
    facts,
    key: submit.idempotency?.key,
    needs: (needs) => verb.needs(ask, needs),
    furtherNeeds: (slices, needs) => verb.furtherNeeds(ask, facts, slices, needs),
  }
}

/** The fold: each ask sees what those before it did. Pure but for the slices, which are this list's own. */
export function decideAll(slices: Slices, items: readonly Item[]): Answered[] {
  return items.map((item) => {
    const { idempotency } = item.submit
    const before = idempotency && slices.answers.get(idempotency.key)
    if (idempotency && before) return replay(before, idempotency.request)
    const decision = decideOne(slices, item)
    if (decision instanceof Error) return { outcome: undefined, fault: decision }
    const outcome = isRefusal(decision)
      ? refused(decision)
      : { status: decision.status, body: decision.body, replayed: false }
    const changes = isRefusal(decision) ? undefined : decision.changes
    const kept = isRefusal(decision) ? undefined : decision.kept
    if (changes) for (const one of eachMember(changes)) apply(slices, one)
    if (kept) applyKept(slices, kept)
    if (!idempotency || (isRefusal(decision) && decision.code === 'invalid_request')) return { outcome, changes, kept }
    const stored = {
      key: idempotency.key,
      request: idempotency.request,
      status: outcome.status,
      answer: outcome.body,
      at: item.facts.now,
    }
    slices.answers.set(idempotency.key, stored)
    return { outcome, changes, kept, store: stored }
  })
}

/** A fault in one decision is that one item's: it changed nothing. */
function decideOne(slices: Slices, item: Item): Decision | Refusal | Error {
  try {
    const said = refusesCard(slices, item.ask, item.facts) ?? verbOf(item.ask).decide(slices, item.ask, item.facts)
    return isRefusal(said) ? said : showTiers(slices, item.ask, settleTiers(slices, said, item.facts))
  } catch (error) {
    if (error instanceof MovedError) throw error
    return faultOf(error)
  }
}

function replay(before: { request: Uuid; status: number; answer: string }, request: Uuid): Answered {
  return before.request === request
    ? { outcome: { status: before.status, body: before.answer, replayed: true } }
    : { outcome: refused(refusal('idempotency_mismatch', 'this Idempotency-Key was used before with another request')) }
}

function settle(items: readonly Item[], answered: readonly Answered[]): void {
  for (const [i, item] of items.entries()) {
    const answer = answered[i]
    if (answer?.fault) item.fault = answer.fault
    else if (answer?.outcome) item.outcome = answer.outcome
  }
}

export function refused(no: Refusal): Outcome {
  return { status: REFUSALS[no.code].status, body: JSON.stringify(problem(no)), replayed: false }
}

function failed(deps: ListDeps, item: Item, error: Error): void {
  item.fault = error
  deps.onFault(error, item.ask.verb)
}

/** When the list was asked: its first ask's time. */
function bookedAt(items: readonly Item[]): Instant {
  return items[0]?.facts.now ?? 0
}
