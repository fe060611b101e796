import { DAY, type Instant, MINUTE } from '../../../contract/instants.ts'
import { feature } from '../feature.ts'
import { decided } from '../limits.ts'
import { beginAll, datesOf, give, seen } from '../model.ts'
import { find, living, type World } from '../world.ts'
import { someone } from './purchase.ts'

/** The types of activity that there are; what is said of one is how many stars, one to five. */
export const TYPES = ['review', 'visit'] as const

type Said = { externalId: string; member: string; type: string; occurredAt: Instant; stars: number }

/** A member does something besides buying: rules may give for it, and it may keep points from ending. */
export const activity = feature<Said>({
  do: 'activity',
  weight: 9,

  generate(r, w, n) {
    if (r.chance(0.05) && w.activities.size > 0) {
      const before = r.pick([...w.activities.values()]).said as Said
      return r.chance(0.7) ? before : { ...before, stars: (before.stars % 5) + 1 }
    }
    const awaited = r.chance(0.3) ? waitingIn(w) : []
    const { member, type } = awaited.length > 0 ? r.pick(awaited) : { member: someone(r, w), type: r.pick(TYPES) }
    const late = w.now - r.int(0, r.chance(0.5) ? 60 * DAY : DAY)
    return {
      externalId: `a-${n}`,
      member,
      type: r.chance(0.02) ? 'nap' : type,
      occurredAt: r.chance(0.01) ? w.now + 6 * MINUTE : r.chance(0.8) ? w.now : late,
      stars: r.int(1, r.chance(0.02) ? 6 : 5),
    }
  },

  model(w, { externalId, member: name, type, occurredAt, stars }) {
    const member = find(w, name)
    const content = JSON.stringify([type, occurredAt, stars])
    const before = w.activities.get(externalId)
    if (before) {
      const same = before.content === content && living(before.member) === member
      return same ? { code: 'repeat', points: before.points } : { code: 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    if (!(TYPES as readonly string[]).includes(type)) return { code: 'activity_type_unknown' }
    if (stars > 5 || occurredAt > w.now + 5 * MINUTE) return { code: 'invalid_request' }
    if (!member) return { code: 'member_unknown' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    let points = 0
    for (const award of decided(w, member, { type, stars }, occurredAt, externalId).given) {
      const { wallet, terms } = award
      if (wallet === 'points') points += award.points
      const lot = { wallet, points: award.points, source: externalId, ...datesOf(w, wallet, occurredAt, terms) }
      give(w, member, lot, 'earned')
    }
    beginAll(w, member, type)
    for (const wallet of w.wallets.keys()) seen(w, member, wallet, type)
    w.activities.set(externalId, {
      said: { externalId, member: name, type, occurredAt, stars },
      content,
      member,
      points,
    })
    return { code: 'ok', points }
  },

  ask: ({ externalId, member, type, occurredAt, stars }) => ({
    verb: 'activity',
    program: 'coffee',
    externalId,
    member: `external:${member}`,
    type,
    occurredAt,
    data: { stars },
  }),
})

/** For what points of whom wait. */
function waitingIn({ members }: World): { member: string; type: string }[] {
  return [...members.values()].flatMap(({ name: member, lots }) =>
    lots.flatMap(({ left, waits }) => (waits && left > 0 ? [{ member, type: waits.activity }] : [])),
  )
}

/** What `data` must look like. */
export const SCHEMA = {
  type: 'object',
  properties: { stars: { type: 'integer', minimum: 1, maximum: 5 } },
  required: ['stars'],
  additionalProperties: false,
}
