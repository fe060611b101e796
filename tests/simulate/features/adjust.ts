import { decodeId } from '../../../contract/ids.ts'
import { type Expected, feature } from '../feature.ts'
import { available, datesOf, give, spendable, take } from '../model.ts'
import { type Adjustment, aWallet, find, type Key, living, type Member, settingsOf, type World } from '../world.ts'

/** `externalId`: what the history calls it; `key`: whose it is. */
type Said = { externalId: string; member: string; wallet: string; points: number; key: Key }
type Decided = { adjustment: string; way: 'approve' | 'reject'; key: Key }
const KEYS = ['shop', 'office'] as const

/** Staff give points, or take some; never more than there are. What is more than the wallet's limit waits. */
export const adjust = feature<Said>({
  do: 'adjust',
  weight: 6,

  generate(r, w, n) {
    if (w.members.size === 0) return undefined
    const points = r.int(1, r.chance(0.1) ? 5_000 : 60)
    const [member, wallet] = [r.pick([...w.members.keys()]), aWallet(r, w)]
    return { externalId: `j-${n}`, member, wallet, points: r.chance(0.5) ? points : -points, key: r.pick(KEYS) }
  },

  model(w, { externalId, member: name, wallet, points, key }) {
    const member = find(w, name)
    if (!member) return { code: 'member_unknown' }
    if (w.paused) return { code: 'program_paused' }
    const one: Adjustment = { name: externalId, member, wallet, points, key, status: 'booked' }
    if (Math.abs(points) > (settingsOf(w, wallet).adjustmentLimit ?? Number.POSITIVE_INFINITY)) one.status = 'waiting'
    else if (!book(w, member, one)) return { code: 'insufficient_points' }
    w.adjustments.set(externalId, one)
    return { code: one.status === 'waiting' ? 'accepted' : 'ok', points }
  },

  ask: ({ member, wallet, points }) => ({
    verb: 'adjust',
    member: `external:${member}`,
    wallet,
    points,
    reason: 'a correction',
  }),
})

/** Whether there was enough. */
function book(w: World, member: Member, { wallet, points }: Adjustment): boolean {
  if (points < 0 && available(w, member, wallet) < -points) return false
  if (points > 0) {
    const { until } = datesOf(w, wallet, w.now, { pending: { kind: 'none' } })
    give(w, member, { wallet, points, source: `adjustment ${++w.counter}`, from: w.now, until }, 'adjusted')
    return true
  }
  take(spendable(w, member, wallet), -points)
  member.journal.push({ what: 'adjusted', wallet, points })
  return true
}

const LEADS_TO = { approve: 'approved', reject: 'rejected' } as const
const NOBODY = 'mem_00000000000000000000000000'
const NONE = '00000000-0000-7000-8000-000000000000'

/** Somebody else books what waits, or anybody takes it back; once. */
export const decide = feature<Decided>({
  do: 'decide',
  weight: 3,

  generate(r, w) {
    const waiting = [...w.adjustments.values()].filter(({ status }) => status === 'waiting')
    const some = waiting.length > 0 && r.chance(0.85) ? waiting.slice(-6) : [...w.adjustments.values()].slice(-20)
    if (some.length === 0) return undefined
    const { name, key } = r.pick(some)
    const other = key === 'shop' ? 'office' : 'shop'
    return { adjustment: name, way: r.chance(0.75) ? 'approve' : 'reject', key: r.chance(0.8) ? other : key }
  },

  model(w, { adjustment: name, way, key }): Expected {
    const one = w.adjustments.get(name)
    if (!one) return { code: 'adjustment_unknown' }
    const member = living(one.member)
    if (one.status === LEADS_TO[way]) return { code: 'repeat', points: one.points, told: { status: one.status } }
    if (one.status !== 'waiting') return { code: 'adjustment_decided' }
    if (way === 'approve') {
      if (one.key === key) return { code: 'same_key' }
      if (w.paused) return { code: 'program_paused' }
      if (!book(w, member, one)) return { code: 'insufficient_points' }
    }
    one.status = LEADS_TO[way]
    // a change of what is there already: 200, as for a repeat
    return { code: 'repeat', points: one.points, told: { status: one.status }, whose: member.name }
  },

  ask({ adjustment, way }, known) {
    const { id, member } = known.made(adjustment) ?? { id: '', member: NOBODY }
    return { verb: 'decide', member, adjustment: decodeId('adj', id) ?? NONE, way, reason: 'looked into' }
  },
})
