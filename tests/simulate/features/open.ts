import { DAY, type Instant } from '../../../contract/instants.ts'
import { feature } from '../feature.ts'
import { datesOf, give } from '../model.ts'
import { aWallet, find, living } from '../world.ts'

type Said = {
  externalId: string
  member: string
  wallet: string
  points: number
  earnedAt: Instant
  activatesAt?: Instant
  expiresAt?: Instant | 'never'
}

/** A member brings points along from elsewhere, with the dates that they had there; asked once, or again. */
export const open = feature<Said>({
  do: 'open',
  weight: 3,

  generate(r, w, n) {
    if (w.members.size === 0) return undefined
    if (r.chance(0.15) && w.openings.size > 0) {
      const before = r.pick([...w.openings.values()]).said as Said
      return r.chance(0.6) ? before : { ...before, points: before.points + 1 }
    }
    const earnedAt = w.now - r.int(0, 900) * DAY
    return {
      externalId: `o-${n}`,
      member: r.pick([...w.members.keys()]),
      wallet: aWallet(r, w),
      points: r.int(1, 500),
      earnedAt,
      ...(r.chance(0.2) ? { activatesAt: earnedAt + r.int(0, 1_000) * DAY } : {}),
      ...(r.chance(0.5) ? { expiresAt: r.chance(0.3) ? ('never' as const) : w.now + r.int(-60, 400) * DAY } : {}),
    }
  },

  model(w, said) {
    const { externalId, wallet, points, earnedAt } = said
    const member = find(w, said.member)
    if (!member) return { code: 'member_unknown' }
    const content = contentOf(said)
    const before = w.openings.get(externalId)
    if (before) {
      const same = before.content === content && living(before.member) === member
      return same ? { code: 'repeat', points } : { code: 'external_id_conflict' }
    }
    if (member.status === 'closed') return { code: 'member_suspended' }
    const from = said.activatesAt ?? earnedAt
    const own = datesOf(w, wallet, earnedAt, { pending: { kind: 'none' } }).until
    const until = said.expiresAt === 'never' ? null : (said.expiresAt ?? own)
    if (until !== null && (until <= from || until <= earnedAt || until <= w.now)) return { code: 'invalid_request' }
    w.openings.set(externalId, { said: { ...JSON.parse(content), member: said.member }, content, member })
    give(w, member, { wallet, points, source: externalId, from: Math.max(from, w.now), until }, 'adjusted')
    return { code: 'ok', points }
  },

  ask: ({ externalId, member, wallet, points, earnedAt, activatesAt, expiresAt }) => ({
    verb: 'open',
    program: 'coffee',
    externalId,
    member: `external:${member}`,
    wallet,
    points,
    earnedAt,
    activatesAt,
    expiresAt,
  }),
})

function contentOf({ externalId, wallet, points, earnedAt, activatesAt, expiresAt }: Said): string {
  const dates = {
    ...(activatesAt === undefined ? {} : { activatesAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
  return JSON.stringify({ externalId, wallet, points, earnedAt, ...dates })
}
