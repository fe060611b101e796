import type { Uuid } from '@laurel/contract/ids'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { digestOf } from './base/keys.ts'
import { award } from './earning/earning.rules.ts'
import { type Configuration, type Program, program, programById, rulesAt } from './earning/configuration.ts'
import { purchaseQuestion } from './earning/question.ts'
import { purchaseText, walletAnswers } from './gate/answers.ts'
import type { Facts, PurchaseAsk } from './gate/asks.ts'
import { type Changes, type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { badInstant } from './gate/checks.ts'
import { type MemberRef, purchaseKey } from './gate/names.ts'
import { findMember, type Slices } from './gate/slices.ts'
import { genesis } from './ledger/chain.rules.ts'
import { credit, draft, type MemberState } from './ledger/ledger.rules.ts'
import { contentText, type Item, normaliseItems, type Purchase, totalOf } from './purchases/purchases.rules.ts'

/**
 * What happens when someone buys: the purchase is stored, rules give points, the ledger books them, the world is told.
 * A repeat (the same external id and content) answers the stored purchase, with 200.
 * Refusals: invalid_request, program_unknown, program_paused, member_unknown, member_suspended, currency_mismatch,
 * amount_out_of_range, external_id_conflict.
 */
export const purchase: Verb<PurchaseAsk> = {
  name: (ask) => purchaseKey(ask.externalId),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.object) needs.purchases.push({ member: before.member, id: before.object })
  },

  decide(slices, ask, facts) {
    const ours = program(slices.configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const member = findMember(slices, facts.member)
    const said = normalise(ask, ours)
    if (isRefusal(said)) return said

    const before = slices.names.get(facts.name ?? '')
    if (before) return repeat(slices, before.object ?? '', said, member)
    const no = refuses(ask, ours, member, facts)
    if (no) return no

    const state = member ?? enrolled(facts)
    const awards = award(
      rulesAt(slices.configuration, ours.programId, slices.configuration.configVersion, ask.occurredAt),
      purchaseQuestion(ours, said.items, ask.occurredAt, {
        channel: ask.channel ?? null,
        store: ask.store ?? null,
        metadata: ask.metadata ?? {},
      }),
    )
    if (isRefusal(awards)) return awards
    const stored: Purchase = {
      member: state.member,
      id: facts.id,
      programId: ours.programId,
      configVersion: slices.configuration.configVersion,
      total: said.total,
      occurredAt: ask.occurredAt,
      recordedAt: facts.now,
      digest: contentOf(said, state.member),
      externalId: ask.externalId,
      items: said.items,
      itemsText: said.itemsText,
      awards: awards.map((a, i) => [a.ruleVersionId, a.points, a.why, state.entrySeq + 1 + i]),
      channel: ask.channel ?? null,
      store: ask.store ?? null,
      metadata: said.metadata,
      returned: null,
    }

    const books = draft(state, slices.lots.get(state.member) ?? [])
    const events: Changes['events'] = []
    if (!member) events.push(tell(books.state, 'member.enrolled', { program: ours.slug }))
    events.push(tell(books.state, 'purchase.recorded', { purchase: stored.id }))
    for (const a of awards) {
      const full = credit(books, a.walletId, a.points, {
        kind: 'earn',
        source: stored.id,
        digest: stored.digest,
        occurredAt: ask.occurredAt,
        now: facts.now,
        ruleVersionId: a.ruleVersionId,
        ...(facts.actor ? { actor: facts.actor } : {}),
      })
      if (full) return full
      events.push(tell(books.state, 'points.earned', { entry: books.state.entrySeq }))
    }
    const changes: Changes = {
      member: state.member,
      at: facts.now,
      books,
      purchase: stored,
      events,
      names: [{ key: facts.name ?? '', member: state.member, object: stored.id, seq: null }],
    }
    if (!member) enrols(changes, facts.member)
    return { status: 201, body: bodyOf(slices.configuration, ours, stored, books.state), changes }
  },
}

function bodyOf(configuration: Configuration, ours: Program, stored: Purchase, state: MemberState): string {
  return `${purchaseText(configuration, ours, stored)},"wallets":${JSON.stringify(walletAnswers(configuration, state, ours.programId))}}`
}

/** The same whatever the order of keys. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** What was said, in the one form in which it is stored and compared. */
type Said = { items: Item[]; itemsText: string; total: number; metadata: string | null; content: string }

function normalise(ask: PurchaseAsk, ours: Program): Said | Refusal {
  const items = normaliseItems(ask.items)
  if (isRefusal(items)) return items
  const total = totalOf(items)
  if (total === undefined) return refusal('amount_out_of_range', 'the lines add up to more than 2^53 − 1')
  const itemsText = JSON.stringify(items)
  const metadata = ask.metadata === undefined ? null : sortedJson(ask.metadata)
  const content = contentText(
    ours.programId,
    ask.occurredAt,
    ask.currency,
    itemsText,
    ask.channel ?? null,
    ask.store ?? null,
    metadata,
  )
  return { items, itemsText, total, metadata, content }
}

function contentOf(said: Said, member: Uuid): Uuid {
  return digestOf(`${member}|${said.content}`)
}

function repeat(slices: Slices, id: Uuid, said: Said, member: MemberState | undefined): Decision | Refusal {
  const stored = slices.purchases.get(id)
  const state = stored && slices.states.get(stored.member)
  const ours = stored && programById(slices.configuration, stored.programId)
  if (!stored || !ours || !state) throw new Error(`purchase ${id} is named but was not loaded`)
  if (!member || stored.digest !== contentOf(said, member.member)) {
    return refusal('external_id_conflict', `the external id "${stored.externalId}" names a purchase with other content`)
  }
  return { status: 200, body: bodyOf(slices.configuration, ours, stored, state) }
}

function refuses(ask: PurchaseAsk, ours: Program, member: MemberState | undefined, facts: Facts): Refusal | undefined {
  if (ours.status === 'paused') return refusal('program_paused', `the program "${ours.slug}" is paused`)
  if (ask.currency !== ours.currency) {
    return refusal(
      'currency_mismatch',
      `the program "${ours.slug}" is in ${ours.currency}, the purchase in ${ask.currency}`,
    )
  }
  const bad = badInstant(ask.occurredAt, facts.now)
  if (bad) return bad
  if (!member) {
    const joins = facts.member !== undefined && 'key' in facts.member && ours.joinPolicy === 'on_first_purchase'
    return joins ? undefined : refusal('member_unknown', `there is no member "${ask.member}"`)
  }
  if (member.status !== 1) return refusal('member_suspended', 'this member is suspended or closed: nothing was stored')
  return undefined
}

/** The books of someone who joins with this purchase. */
function enrolled({ newMember }: Facts): MemberState {
  if (newMember === undefined) throw new Error('only an external id can join')
  return {
    member: newMember,
    status: 1,
    version: 0,
    entrySeq: 0,
    eventSeq: 0,
    chain: genesis(newMember),
    wallets: [],
  }
}

function enrols(changes: Changes, named: MemberRef | undefined): void {
  if (!named || !('key' in named)) throw new Error('only an external id can join')
  changes.enrols = { externalId: named.externalId, key: named.key }
  changes.names.push({ key: named.key, member: changes.member, object: null, seq: null })
}
