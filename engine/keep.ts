import { encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { NOBODY } from './base/names.ts'
import { type Program, program, programById } from './earning/configuration.ts'
import { purchaseBody, unclaimedText, walletsNow } from './gate/answers.ts'
import type { Facts, KeepAsk } from './gate/asks.ts'
import { type Decision, isRefusal, type Verb } from './gate/decisions.ts'
import { purchaseKey } from './gate/names.ts'
import { contentOf, normalise, refusesSale, type Said, unclaimedContentOf } from './gate/said.ts'
import { findMember, type Slices, survivorOf } from './gate/slices.ts'
import { isNobodys, unclaimedNamed } from './gate/unclaimed.ts'
import type { Unclaimed } from './unclaimed/unclaimed.rules.ts'

/**
 * What happens when somebody buys whom nobody knows: the purchase is kept, as it was said, until it is claimed. No rule is asked:
 * that is for when it has a member. A repeat answers what is stored, with 200, whether it was claimed meanwhile or not.
 * Refusals: invalid_request, program_unknown, program_paused, currency_mismatch, amount_out_of_range, external_id_conflict.
 */
export const keep: Verb<KeepAsk> = {
  name: (ask) => purchaseKey(ask.externalId),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (isNobodys(before)) needs.unclaimed.add(facts.name ?? '')
    else if (before?.object) {
      needs.purchases.push({ member: before.member, id: before.object })
      needs.lots.add(survivorOf(slices, before.member))
    }
  },

  decide(slices, ask, facts) {
    const ours = program(slices.configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const said = normalise(ask, ours)
    if (isRefusal(said)) return said
    if (slices.names.has(facts.name ?? '')) return repeat(slices, said, facts)
    const no = refusesSale(ask, ours, facts.now)
    if (no) return no
    const kept = unclaimed(ask, said, ours, facts)
    return {
      status: 201,
      body: bodyOf(ours, kept),
      kept: {
        change: { key: kept.key, before: null, after: kept },
        names: [{ key: kept.key, member: NOBODY, object: kept.id, seq: null }],
        events: [{ type: 'purchase.unclaimed', data: told(ours, kept) }],
      },
    }
  },
}

function unclaimed(ask: KeepAsk, said: Said, ours: Program, facts: Facts): Unclaimed {
  return {
    key: facts.name ?? '',
    id: facts.id,
    version: 1,
    programId: ours.programId,
    total: said.total,
    occurredAt: ask.occurredAt,
    recordedAt: facts.now,
    digest: unclaimedContentOf(said),
    externalId: ask.externalId,
    itemsText: said.itemsText,
    channel: ask.channel ?? null,
    store: ask.store ?? null,
    metadata: said.metadata,
    returned: null,
  }
}

/** In full: the row goes when the purchase is claimed or purged. It says nothing of a person. */
function told(ours: Program, kept: Unclaimed): Record<string, unknown> {
  return {
    purchase: encodeId('pur', kept.id),
    program: ours.slug,
    externalId: kept.externalId,
    occurredAt: formatInstant(kept.occurredAt),
    currency: ours.currency,
    total: kept.total,
  }
}

function bodyOf(ours: Program, kept: Unclaimed): string {
  return `${unclaimedText(ours, kept)},"wallets":[]}`
}

function repeat(slices: Slices, said: Said, { name, now }: Facts): Decision | Refusal {
  const other = (externalId: string) =>
    refusal('external_id_conflict', `the external id "${externalId}" names a purchase with other content`)
  const kept = unclaimedNamed(slices, name)
  const stored = kept ? undefined : slices.purchases.get(slices.names.get(name ?? '')?.object ?? '')
  const ours = programById(slices.configuration, (kept ?? stored)?.programId ?? 0)
  if (kept && ours)
    return kept.digest === unclaimedContentOf(said) ? { status: 200, body: bodyOf(ours, kept) } : other(kept.externalId)
  const state = stored && findMember(slices, { id: stored.member })
  if (!stored || !state || !ours) throw new Error(`purchase ${name} is named but was not loaded`)
  if (stored.digest !== contentOf(said, stored.member)) return other(stored.externalId)
  const wallets = walletsNow(slices, state, ours.programId, now)
  return { status: 200, body: purchaseBody(slices.configuration, ours, stored, wallets) }
}
