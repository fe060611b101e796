import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { award } from './earning/earning.rules.ts'
import { type Configuration, program, programById, rulesAt, versionById } from './earning/configuration.ts'
import { returnAnswer, walletAnswers, walletsNow } from './gate/answers.ts'
import type { Facts, ReturnAsk } from './gate/asks.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { badInstant, namesNothing } from './gate/checks.ts'
import { MovedError } from './gate/faults.ts'
import { returnDigest } from './gate/digests.ts'
import { purchaseKey, returnKey } from './gate/names.ts'
import { questionAgain } from './gate/questions.ts'
import { type Slices, survivorOf } from './gate/slices.ts'
import { endedBy } from './gate/lot-slices.ts'
import { isNobodys, keyOfPurchase, returnOfUnclaimed, whoseReturn } from './gate/unclaimed.ts'
import { claw, type Clawed } from './ledger/clawback.rules.ts'
import type { Draft } from './ledger/books.ts'
import {
  allocateMatching,
  allocateNamed,
  type Allocation,
  amountReturned,
  kept,
  perWallet,
  type Purchase,
  remainingItems,
  type Return,
  type Returned,
  returnedUnits,
  type ReturnLine,
} from './purchases/purchases.rules.ts'

/**
 * What happens when something comes back: each purchase that it touches is decided again on what is left of it, on
 * the inputs frozen with it; what that gives less than before is taken back, first from the purchase's own lots (pending
 * ones first), then (but for what of those ended unused) from the member's other lots in burn order, and what is not to be found
 * is written off. So order and splitting of returns never matter. A suspended member's goods can come back too.
 * Refusals: invalid_request, program_unknown, program_paused, member_unknown, purchase_unknown, return_exceeds_purchase,
 * external_id_conflict.
 */
export const returns: Verb<ReturnAsk> = {
  name: (ask) => returnKey(ask.externalId),

  needs(ask, needs) {
    if (ask.purchase?.startsWith('external:')) needs.names.add(purchaseKey(ask.purchase.slice(9)))
  },

  furtherNeeds(ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.object && !isNobodys(before)) needs.returns.push({ member: before.member, id: before.object })
    const member = whoseReturn(slices, ask, facts)
    if ('nobody' in member) needs.unclaimed.add(keyOfPurchase(ask) ?? '')
    if ('nobody' in member || isRefusal(member)) return
    needs.lots.add(member.member)
    needs.ended = true
    if (ask.purchase === undefined) {
      if (ask.items !== 'all')
        for (const item of ask.items) needs.holding.push({ member: member.member, sku: item.sku ?? '' })
    } else {
      const id = purchaseId(slices, ask.purchase)
      if (id) needs.purchases.push({ member: member.member, id })
    }
  },

  decide(slices, ask, facts) {
    const ours = program(slices.configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const member = whoseReturn(slices, ask, facts)
    if (isRefusal(member)) return member
    const asked = normalised(slices, ask)
    if ('nobody' in member) return returnOfUnclaimed(slices, ask, asked, ours, facts)
    if (!slices.lots.has(member.member)) throw new MovedError('the purchase found its member in this very list')
    const before = slices.names.get(facts.name ?? '')
    const returner = before?.member ?? member.member
    const digest = returnDigest(returner, ours.programId, ask.occurredAt, asked)
    if (before && survivorOf(slices, before.member) !== member.member)
      return refusal('external_id_conflict', `the external id "${ask.externalId}" names a return of another member`)
    if (isNobodys(before))
      return refusal('external_id_conflict', `"${ask.externalId}" names a return of another purchase`)
    if (before) return repeat(slices, before.object ?? '', digest, facts.now)
    if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
    const bad = badInstant(ask.occurredAt, facts.now)
    if (bad) return bad

    const found = allocate(slices, ask, member.member, ours.programId)
    if (isRefusal(found)) return found
    const opened = openBooks(slices, member, facts)
    const { books } = opened
    const one: Return = {
      member: member.member,
      id: facts.id,
      programId: ours.programId,
      occurredAt: ask.occurredAt,
      recordedAt: facts.now,
      digest,
      externalId: ask.externalId,
      purchase: found.purchase,
      asked,
      lines: [],
      unmatched: found.unmatched,
      taken: [],
    }
    const touched: Purchase[] = []
    for (const [purchase, allocations] of byPurchase(found.allocations)) {
      const after = takeBack(slices, books, purchase, allocations, one, facts)
      if (isRefusal(after)) return after
      touched.push(after)
    }
    return conclude(slices.configuration, ours, one, opened, touched, facts)
  },
}

function conclude(
  configuration: Configuration,
  ours: NonNullable<ReturnType<typeof program>>,
  one: Return,
  opened: Opened,
  touched: Purchase[],
  facts: Facts,
): Decision {
  const { books, events } = opened
  events.push(tell(books.state, 'purchase.returned', { return: one.id }))
  for (const entry of books.entries) {
    if (entry.source === one.id) events.push(tell(books.state, 'points.reversed', { entry: entry.seq }))
  }
  settleBooks(opened, facts)
  return {
    status: 201,
    body: JSON.stringify({
      ...returnAnswer(ours, one),
      wallets: walletAnswers(configuration, books.state, ours.programId),
    }),
    changes: {
      member: one.member,
      at: one.recordedAt,
      books,
      returned: touched,
      returns: one,
      events,
      names: [{ key: returnKey(one.externalId), member: one.member, object: one.id, seq: null }],
    },
  }
}

function repeat(slices: Slices, id: Uuid, digest: Uuid, now: Instant): Decision | Refusal {
  const stored = slices.returns.get(id)
  const state = stored && slices.states.get(stored.member)
  const ours = stored && programById(slices.configuration, stored.programId)
  if (!stored || !ours || !state) throw new Error(`return ${id} is named but was not loaded`)
  if (stored.digest !== digest) {
    return refusal('external_id_conflict', `the external id "${stored.externalId}" names a return with other content`)
  }
  return {
    status: 200,
    body: JSON.stringify({
      ...returnAnswer(ours, stored),
      wallets: walletsNow(slices, state, ours.programId, now),
    }),
  }
}

/** What was asked, in the one form in which it is stored and compared. */
function normalised(slices: Slices, { purchase, items }: ReturnAsk): string {
  const named = purchase === undefined ? null : (purchaseId(slices, purchase) ?? purchase)
  const each = items === 'all' ? items : items.map(({ line, sku, quantity }) => ({ line, sku, quantity }))
  return JSON.stringify({ purchase: named, items: each })
}

function purchaseId(slices: Slices, ref: string): Uuid | undefined {
  if (!ref.startsWith('external:')) return decodeId('pur', ref)
  return slices.names.get(purchaseKey(ref.slice(9)))?.object ?? undefined
}

type Found = { purchase: Uuid | null; allocations: Allocation[]; unmatched: Return['unmatched'] }

/** Which units of which purchases come back. */
function allocate(slices: Slices, ask: ReturnAsk, member: Uuid, programId: number): Found | Refusal {
  if (ask.purchase === undefined) {
    const nameless = ask.items === 'all' ? 0 : ask.items.findIndex((item) => item.sku === undefined)
    if (ask.items === 'all' || nameless >= 0) {
      return refusal(
        'invalid_request',
        'a return that names no purchase says the SKU of every item',
        ask.items === 'all'
          ? [{ pointer: '/items', detail: '"all" needs `purchase`' }]
          : [{ pointer: `/items/${nameless}/sku`, detail: 'is required without `purchase`' }],
      )
    }
    const own = [...slices.purchases.values()].filter(
      (p) => survivorOf(slices, p.member) === member && p.programId === programId,
    )
    return { purchase: null, ...allocateMatching(own, ask.items, ask.occurredAt) }
  }
  const id = purchaseId(slices, ask.purchase)
  const purchase = id === undefined ? undefined : slices.purchases.get(id)
  if (!purchase || survivorOf(slices, purchase.member) !== member || purchase.programId !== programId) {
    return refusal('purchase_unknown', `this member has no purchase "${ask.purchase}" in this program`)
  }
  const bare = namesNothing(ask)
  if (bare) return bare
  const allocations = allocateNamed(purchase, ask.items)
  return isRefusal(allocations) ? allocations : { purchase: purchase.id, allocations, unmatched: [] }
}

function byPurchase(allocations: readonly Allocation[]): Map<Purchase, Allocation[]> {
  const groups = new Map<Purchase, Allocation[]>()
  for (const a of allocations) {
    const group = groups.get(a.purchase)
    if (group) group.push(a)
    else groups.set(a.purchase, [a])
  }
  return groups
}

/** Decides one purchase again on what is left of it and books the difference; gives the purchase as it is then. */
function takeBack(
  slices: Slices,
  books: Draft,
  purchase: Purchase,
  allocations: readonly Allocation[],
  one: Return,
  facts: Facts,
): Purchase | Refusal {
  const { configuration } = slices
  const { member } = books.state
  const units = returnedUnits(purchase)
  const lines: ReturnLine[] = []
  for (const { index, quantity } of allocations) {
    const item = purchase.items[index]
    const was = units[index] ?? 0
    if (!item) throw new Error(`purchase ${purchase.id} has no line ${index}`)
    units[index] = was + quantity
    lines.push({
      purchase: purchase.id,
      index,
      line: item.line,
      sku: item.sku,
      quantity,
      amount:
        amountReturned(item.amount, was + quantity, item.quantity) - amountReturned(item.amount, was, item.quantity),
    })
  }
  const ours = programById(configuration, purchase.programId)
  if (!ours) throw new Error(`program ${purchase.programId} is not in the configuration`)
  const decided = award(
    rulesAt(configuration, purchase.programId, purchase.configVersion, purchase.occurredAt),
    questionAgain(ours, purchase, remainingItems(purchase.items, units)),
  )
  if (isRefusal(decided)) return decided
  const standing = perWallet(decided)
  const ended = endedBy(slices, books)
  const wallets: Returned['wallets'] = []
  for (const [walletId, { points, seq }] of originals(configuration, purchase)) {
    const before = takenBefore(purchase, walletId, member)
    const due = points - kept(points, standing.get(walletId) ?? 0)
    const why = {
      source: one.id,
      digest: one.digest,
      occurredAt: one.occurredAt,
      now: facts.now,
      ...(purchase.member === member ? { reverses: seq } : {}),
      ...(facts.actor ? { actor: facts.actor } : {}),
    }
    const [after, step] = claw(books, purchase.id, before, due, why, ended(purchase.id, walletId))
    wallets.push(after)
    if (step) one.taken.push({ purchase: purchase.id, walletId, ...step })
  }
  one.lines.push(...lines)
  const by = purchase.member === member ? {} : { by: member }
  return { ...purchase, returned: { units, wallets, ...by } }
}

/**
 * What earlier returns took. Lots are known by their numbers within one member's books: what was taken before the buyer was
 * merged into another is known as a sum only, and would be given back as a lot of its own.
 */
function takenBefore(purchase: Purchase, walletId: number, member: Uuid): Clawed {
  const before = purchase.returned?.wallets.find((w) => w.walletId === walletId)
  if (!before) return { walletId, lots: [], writtenOff: 0 }
  if ((purchase.returned?.by ?? purchase.member) === member) return before
  const owed = before.lots.reduce((sum, lot) => sum + lot.taken, before.owed ?? 0)
  const { writtenOff, gone } = before
  return { walletId, lots: [], writtenOff, ...(owed === 0 ? {} : { owed }), ...(gone === undefined ? {} : { gone }) }
}

/** What the purchase gave a wallet at first, and by which entry (the first, where several rules gave). */
function originals(configuration: Configuration, purchase: Purchase): Map<number, { points: number; seq: number }> {
  const given = new Map<number, { points: number; seq: number }>()
  for (const [ruleVersionId, points, , seq] of purchase.awards) {
    const version = versionById(configuration, ruleVersionId)
    if (!version) throw new Error(`rule version ${ruleVersionId} is not in the configuration`)
    const before = given.get(version.walletId)
    given.set(version.walletId, { points: points + (before?.points ?? 0), seq: before?.seq ?? seq })
  }
  return given
}
