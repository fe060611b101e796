import { feature } from '../feature.ts'
import { available, datesOf, give, spendable, take } from '../model.ts'
import { aWallet, find } from '../world.ts'

type Said = { member: string; wallet: string; points: number }

/** Staff give points, or take some; never more than there are. */
export const adjust = feature<Said>({
  do: 'adjust',
  weight: 6,

  generate(r, w) {
    if (w.members.size === 0) return undefined
    const points = r.int(1, r.chance(0.1) ? 5_000 : 60)
    return { member: r.pick([...w.members.keys()]), wallet: aWallet(r, w), points: r.chance(0.5) ? points : -points }
  },

  model(w, { member: name, wallet, points }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    if (w.paused) return { code: 'program_paused' }
    if (points > 0) {
      const { until } = datesOf(w, wallet, w.now, { pending: { kind: 'none' } })
      give(w, member, { wallet, points, source: `adjustment ${++w.counter}`, from: w.now, until }, 'adjusted')
      return { code: 'ok', points }
    }
    if (available(w, member, wallet) < -points) return { code: 'insufficient_points' }
    take(spendable(w, member, wallet), -points)
    member.journal.push({ what: 'adjusted', wallet, points })
    return { code: 'ok', points }
  },

  ask: ({ member, wallet, points }) => ({
    verb: 'adjust',
    member: `external:${member}`,
    wallet,
    points,
    reason: 'a correction',
  }),
})
