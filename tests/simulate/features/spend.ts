import { feature } from '../feature.ts'
import { available, seen, spendable, take } from '../model.ts'
import { aWallet, find, living, type Spend } from '../world.ts'
import { someone } from './purchase.ts'

type Said = { member: string; wallet: string; points: number; externalId?: string }

/** Points are spent: up to all that there are, or more than there are. */
export const spend = feature<Said>({
  do: 'spend',
  weight: 15,

  generate(r, w, n) {
    const own = [...w.spends.values()].filter(({ said }) => said.externalId !== '')
    if (r.chance(0.04) && own.length > 0) {
      const before = r.pick(own).said
      return { ...before, points: before.points + (r.chance(0.7) ? 0 : 1) }
    }
    const name = r.chance(0.98) && w.members.size > 0 ? r.pick([...w.members.keys()]) : someone(r, w)
    const member = find(w, name)
    const wallet = aWallet(r, w)
    const has = member ? available(w, member, wallet) : 0
    const points = r.chance(0.15) ? has + 1 : r.chance(0.15) ? has : r.int(1, Math.max(1, r.chance(0.5) ? has : 30))
    return { member: name, wallet, points: Math.max(1, points), ...(r.chance(0.7) ? { externalId: `s-${n}` } : {}) }
  },

  model(w, { member: name, wallet, points, externalId }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    const before = w.spends.get(externalId ?? '')
    if (before) {
      const same = living(before.member) === member && before.wallet === wallet && before.said.points === points
      return { code: same ? 'repeat' : 'external_id_conflict' }
    }
    if (w.paused) return { code: 'program_paused' }
    if (member.status !== 'active') return { code: 'member_suspended' }
    if (available(w, member, wallet) < points) return { code: 'insufficient_points' }
    const lots: Spend['lots'] = []
    take(spendable(w, member, wallet), points, (lot, n) => lots.push({ lot, points: n }))
    seen(w, member, wallet, 'spend')
    member.journal.push({ what: 'spent', wallet, points })
    const said = { member: name, wallet, points, externalId: externalId ?? '' }
    if (externalId !== undefined) w.spends.set(externalId, { n: ++w.counter, said, member, wallet, lots })
    return { code: 'ok', points }
  },

  ask: ({ member, wallet, points, externalId }) => ({
    verb: 'spend',
    member: `external:${member}`,
    wallet,
    points,
    reason: 'a mug',
    ...(externalId === undefined ? {} : { externalId }),
  }),
})
