import type { PurchaseAsk } from '../../../engine/gate/asks.ts'
import { DAY, MINUTE } from '../../../contract/instants.ts'
import type { Award } from '../earning.ts'
import { feature } from '../feature.ts'
import { decided } from '../limits.ts'
import { goesByDays } from '../ladders.ts'
import { datesOf, give } from '../model.ts'
import { find, join, living, type Line, type Purchase, type World } from '../world.ts'
import type { Random } from '../random.ts'

const SKUS = ['beans', 'mug', 'cake', 'seeds'] as const
const CATEGORY: Record<string, string> = { beans: 'coffee', mug: 'kitchen', cake: 'bakery' }
const MEMBERS_MAX = 8

type Said = Pick<PurchaseAsk, 'externalId' | 'member' | 'occurredAt' | 'currency'> & { items: Line[] }

/** Someone buys; now, or reported late; for the first time, or asked again; sometimes with what must be refused. */
export const purchase = feature<Said>({
  do: 'purchase',
  weight: 40,

  generate(r, w, n) {
    const before = r.chance(0.05) && w.purchases.size > 0 ? r.pick([...w.purchases.values()]) : undefined
    if (before) return again(before, r.chance(0.7))
    return {
      externalId: `p-${n}`,
      member: someone(r, w),
      occurredAt: goesByDays(w) || r.chance(0.8) ? w.now : w.now - r.int(0, r.chance(0.5) ? 60 * DAY : DAY),
      currency: r.chance(0.01) ? 'EUR' : 'GBP',
      items: Array.from({ length: r.int(1, 4) }, (_, i) => lineOf(r, i)),
      ...(r.chance(0.01) ? { occurredAt: w.now + 6 * MINUTE } : {}),
    }
  },

  model(w, said) {
    const before = w.purchases.get(said.externalId)
    const member = find(w, said.member)
    if (before) {
      const same = before.content === contentOf(said) && living(before.member) === member
      return { code: same ? 'repeat' : 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    if (said.currency !== 'GBP') return { code: 'currency_mismatch' }
    if (said.occurredAt > w.now + 5 * MINUTE) return { code: 'invalid_request' }
    if (!member && w.setup.joinPolicy === 'explicit') return { code: 'member_unknown' }
    if (member && member.status !== 'active') return { code: 'member_suspended' }
    return record(w, said)
  },

  ask: (said) => ({ verb: 'purchase', program: 'coffee', ...namedOf(said), ...itemsOf(said) }),
})

export function record(w: World, said: Said) {
  const member = find(w, said.member) ?? join(w, said.member)
  const { given, ...by } = decided(w, member, said.items, said.occurredAt, said.externalId)
  const bought: Purchase = {
    n: ++w.counter,
    name: said.externalId,
    member,
    content: contentOf(said),
    occurredAt: said.occurredAt,
    lines: said.items,
    ...by,
    given: new Map(),
    returned: said.items.map(() => 0),
    taken: new Map(),
    takenFrom: member,
  }
  w.purchases.set(bought.name, bought)
  return { code: 'ok', points: giveAll(w, bought, given) }
}

/** Everything in lots of its own; gives the points of the wallet `points`. */
export function giveAll(w: World, bought: Purchase, given: readonly Award[]): number {
  const { name: source, member, occurredAt } = bought
  for (const { wallet, points, terms } of given) {
    bought.given.set(wallet, (bought.given.get(wallet) ?? 0) + points)
    give(w, member, { wallet, points, source, ...datesOf(w, wallet, occurredAt, terms) }, 'earned')
  }
  return bought.given.get('points') ?? 0
}

/** The same words again, or nearly. */
function again(before: Purchase, same: boolean): Said {
  const items = same ? before.lines : before.lines.map((line) => ({ ...line, amount: line.amount + 1 }))
  return {
    externalId: before.name,
    member: before.member.name,
    occurredAt: before.occurredAt,
    currency: 'GBP',
    items,
  }
}

export function lineOf(r: Random, i: number): Line {
  const sku = r.pick(SKUS)
  const category = CATEGORY[sku]
  return {
    line: String(i + 1),
    sku,
    ...(category === undefined ? {} : { category }),
    quantity: r.int(1, 4),
    amount: r.chance(0.1) ? 0 : r.int(0, r.chance(0.2) ? 50_000 : 3_000),
  }
}

/** Mostly someone who was here before, at times someone new. */
export function someone(r: Random, w: World): string {
  const known = [...w.members.keys()]
  const alive = [...w.members.values()].filter((member) => !member.mergedInto)
  return known.length > 0 && (alive.length >= MEMBERS_MAX || r.chance(0.9)) ? r.pick(known) : `m-${known.length + 1}`
}

export const contentOf = (said: Said) => JSON.stringify([said.occurredAt, said.currency, said.items])
const namedOf = ({ externalId, member, occurredAt, currency }: Said) => ({
  externalId,
  member: `external:${member}`,
  occurredAt,
  currency,
})
export const itemsOf = ({ items }: Pick<Said, 'items'>) => ({ items })
