import { DAY, type Instant } from '../../../contract/instants.ts'
import { remaining } from '../earning.ts'
import { type Expected, feature } from '../feature.ts'
import { decided } from '../limits.ts'
import { goesByDays } from '../ladders.ts'
import { find, type Guest, join, type Line, living, type Purchase, sum, type World } from '../world.ts'
import { contentOf, giveAll, itemsOf, lineOf, purchase, someone } from './purchase.ts'
import { type Item, named, ofNamed, spread, takeBack } from './return.ts'

type Bought = { externalId: string; occurredAt: Instant; currency: string; items: Line[] }

/** Somebody buys whom nobody knows; now, or reported late; for the first time, or asked again. */
export const guest = feature<Bought>({
  do: 'guest',
  weight: 6,

  generate(r, w, n) {
    if (goesByDays(w)) return undefined
    const before = r.chance(0.1) && w.guests.size > 0 ? r.pick([...w.guests.values()]) : undefined
    if (before) return saidOf(before, r.chance(0.7))
    return {
      externalId: `g-${n}`,
      occurredAt: r.chance(0.8) ? w.now : w.now - r.int(0, 60 * DAY),
      currency: 'GBP',
      items: Array.from({ length: r.int(1, 3) }, (_, i) => lineOf(r, i)),
    }
  },

  model(w, said) {
    const before = w.guests.get(said.externalId)
    if (before) return { code: before.content === wordsOf(said) ? 'repeat' : 'external_id_conflict' }
    if (w.paused) return { code: 'program_paused' }
    w.guests.set(said.externalId, {
      n: ++w.counter,
      name: said.externalId,
      content: wordsOf(said),
      occurredAt: said.occurredAt,
      recordedAt: w.now,
      lines: said.items,
      returned: said.items.map(() => 0),
      claimed: undefined,
    })
    return { code: 'ok', points: 0 }
  },

  ask: ({ externalId, occurredAt, currency, items }) => ({
    verb: 'keep',
    program: 'coffee',
    externalId,
    occurredAt,
    currency,
    ...itemsOf({ items }),
  }),
})

type Claiming = Bought & { member: string; byShop?: true }
/** Of the programs that the simulation makes. */
const CLAIM_TIME = 30 * DAY

/** Somebody claims what a guest bought; or the shop says whose it is. */
export const claim = feature<Claiming>({
  do: 'claim',
  weight: 6,

  generate(r, w) {
    if (w.guests.size === 0) return undefined
    const all = [...w.guests.values()]
    const one = r.pick(r.chance(0.8) ? all.slice(-5) : all)
    return {
      ...saidOf(one, r.chance(0.97)),
      member: someone(r, w),
      ...(r.chance(0.2) ? { byShop: true as const } : {}),
    }
  },

  model(w, said) {
    const kept = w.guests.get(said.externalId)
    const member = find(w, said.member)
    if (!kept) return said.byShop ? straight(w, said) : { code: 'purchase_unknown' }
    if (kept.claimed) {
      const own = living(kept.claimed.member) === member
      if (!own && !said.byShop) return { code: 'purchase_claimed' }
      return { code: own && kept.content === wordsOf(said) ? 'repeat' : 'external_id_conflict' }
    }
    if (kept.content !== wordsOf(said)) return { code: 'external_id_conflict' }
    if (!said.byShop && w.now >= kept.recordedAt + CLAIM_TIME) return { code: 'claim_expired' }
    if (w.paused) return { code: 'program_paused' }
    if (!member && w.setup.joinPolicy === 'explicit') return { code: 'member_unknown' }
    if (member && member.status !== 'active') return { code: 'member_suspended' }
    return record(w, kept, said)
  },

  ask: ({ externalId, occurredAt, currency, items, member, byShop }) => ({
    verb: 'purchase',
    program: 'coffee',
    externalId,
    occurredAt,
    currency,
    member: `external:${member}`,
    ...itemsOf({ items }),
    ...(byShop ? {} : { claims: true as const }),
  }),
})

/** In a shortened history the shop may be the first to say anything of it. */
function straight(w: World, said: Claiming): Expected {
  const { byShop: _, ...bought } = said
  const expected = purchase.model(w, { ...bought, do: 'purchase', at: w.now } as never)
  const claimed = w.purchases.get(said.externalId)
  if (expected.code === 'ok' && claimed)
    w.guests.set(said.externalId, {
      n: claimed.n,
      name: claimed.name,
      content: wordsOf(said),
      occurredAt: said.occurredAt,
      recordedAt: w.now,
      lines: said.items,
      returned: said.items.map(() => 0),
      claimed,
    })
  return expected
}

/** As if it had been bought by the member when it was, but for what came back meanwhile. */
function record(w: World, kept: Guest, said: Claiming): Expected {
  const member = find(w, said.member) ?? join(w, said.member)
  const { given, ...by } = decided(w, member, remaining(kept.lines, kept.returned), kept.occurredAt, kept.name)
  const claimed: Purchase = {
    n: kept.n,
    name: kept.name,
    member,
    content: contentOf({ ...saidOf(kept, true), member: said.member }),
    occurredAt: kept.occurredAt,
    lines: kept.lines,
    ...by,
    given: new Map(),
    returned: [...kept.returned],
    taken: new Map(),
    takenFrom: member,
  }
  kept.claimed = claimed
  w.purchases.set(claimed.name, claimed)
  return { code: 'ok', points: giveAll(w, claimed, given) }
}

type Back = { externalId: string; occurredAt: Instant; purchase: string; items: 'all' | Item[] }

/** Something of it comes back, and nobody says whose it was. */
export const guestReturn = feature<Back>({
  do: 'guestReturn',
  weight: 4,

  generate(r, w, n) {
    if (w.guests.size === 0) return undefined
    const all = [...w.guests.values()]
    const one = r.pick(r.chance(0.8) ? all.slice(-5) : all)
    return {
      externalId: r.chance(0.1) && w.guestReturns.size > 0 ? r.pick([...w.guestReturns.keys()]) : `gr-${n}`,
      occurredAt: w.now,
      purchase: one.name,
      items: r.chance(0.2) ? ('all' as const) : named(r, one),
    }
  },

  model(w, { externalId, occurredAt, purchase: name, items }) {
    const kept = w.guests.get(name)
    if (!kept) return { code: 'purchase_unknown' }
    const content = JSON.stringify([occurredAt, name, items])
    const before = w.guestReturns.get(externalId)
    if (before)
      return before.content === content ? { code: 'repeat', points: before.points } : { code: 'external_id_conflict' }
    if (w.paused) return { code: 'program_paused' }
    const points = kept.claimed ? ofMember(w, kept.claimed, items) : ofNobody(kept, items)
    if (typeof points === 'object') return points
    w.guestReturns.set(externalId, { content, points })
    return { code: 'ok', points, ...(kept.claimed ? { whose: kept.claimed.member.name } : {}) }
  },

  ask: ({ externalId, occurredAt, purchase: name, items }) => ({
    verb: 'return',
    program: 'coffee',
    externalId,
    occurredAt,
    purchase: `external:${name}`,
    items,
  }),
})

function ofMember(w: World, bought: Purchase, items: Back['items']): number | Expected {
  const units = ofNamed(w, living(bought.member), { purchase: bought.name, items })
  if (!(units instanceof Map)) return units
  return sum([...units].map(([one, back]) => takeBack(w, one, back)))
}

function ofNobody(kept: Guest, items: Back['items']): number | Expected {
  const left = kept.lines.map((line, i) => line.quantity - (kept.returned[i] ?? 0))
  const back = items === 'all' ? [...left] : left.map(() => 0)
  if (items === 'all' && sum(left) === 0) return { code: 'return_exceeds_purchase' }
  for (const item of items === 'all' ? [] : items)
    if (spread(item, kept, left, back) > 0) return { code: 'return_exceeds_purchase' }
  kept.returned = kept.returned.map((n, i) => n + (back[i] ?? 0))
  return 0
}

function saidOf(kept: Guest, same: boolean): Bought {
  const items = same ? kept.lines : kept.lines.map((line) => ({ ...line, amount: line.amount + 1 }))
  return { externalId: kept.name, occurredAt: kept.occurredAt, currency: 'GBP', items }
}

const wordsOf = ({ occurredAt, currency, items }: Bought) => JSON.stringify([occurredAt, currency, items])
