import { DAY, type Instant } from '../../../contract/instants.ts'
import { endOfPoints } from '../calendar.ts'
import { type Expected, feature } from '../feature.ts'
import { begun, endOf, giveUp, goOn, hasEnded, openLot, restart } from '../model.ts'
import { type Lot, type Member, settingsOf, type World } from '../world.ts'

type Change = 'activate' | 'cancel' | 'extend' | 'reinstate'
/** `lot`: the so many-th of all that the member ever had in the wallet. */
type Said = { member: string; wallet: string; lot: number; change: Change; expiresAt?: Instant }

const DONE: Expected = { code: 'repeat' } // a change of what is there already: 200, as for a repeat
const REFUSED: Expected = { code: 'lot_state' }

/** Staff let a pending lot begin, give it up, let a lot live longer, or let what expired of it come again. */
export const changeLot = feature<Said>({
  do: 'changeLot',
  weight: 4,

  generate(r, w) {
    const members = [...w.members.values()].filter((m) => m.lots.length > 0)
    if (members.length === 0) return undefined
    const member = r.pick(members)
    const change = r.pick(['activate', 'cancel', 'extend', 'reinstate'] as const)
    const fit = member.lots.filter((lot) => fits(w, lot, change))
    const lot = fit.length > 0 ? r.pick(fit) : r.pick(member.lots)
    if (change === 'reinstate' && lot.wasHeld) return undefined
    const end = endOf(w, member, lot) ?? w.now
    const expiresAt = (change === 'extend' ? end : w.now) + r.int(-2, 60) * DAY
    const says = change === 'extend' || (change === 'reinstate' && r.chance(0.5))
    const { wallet } = lot
    return {
      member: member.name,
      wallet,
      lot: inWallet(member, wallet).indexOf(lot),
      change,
      ...(says ? { expiresAt } : {}),
    }
  },

  model(w, { member: name, wallet, lot: nth, change, expiresAt }) {
    const member = w.members.get(name)
    const lot = member && inWallet(member, wallet)[nth]
    if (!member || !lot) return { code: 'entry_unknown' }
    if (member.mergedInto) return { code: 'member_merged' }
    if (w.paused) return { code: 'program_paused' }
    if (change === 'activate') return activate(w, member, lot)
    if (change === 'cancel') return cancel(w, member, lot)
    return change === 'extend' ? extend(w, member, lot, expiresAt ?? 0) : reinstate(w, member, lot, expiresAt)
  },

  async ask({ member, wallet, lot, change, expiresAt }, known) {
    const of = { lot: await known.lotSeq(member, wallet, lot) }
    const says = expiresAt === undefined ? {} : { expiresAt }
    return { verb: 'changeLot', member: `external:${member}`, of, change, reason: 'asked by the member', ...says }
  },
})

const inWallet = (member: Member, wallet: string) => member.lots.filter((lot) => lot.wallet === wallet)

function fits(w: World, lot: Lot, change: Change): boolean {
  if (change === 'reinstate') return lot.expired.length > 0 && !lot.wasHeld // else: in how many pieces, depends on the job
  return lot.left > 0 && (change === 'extend' ? lot.until !== null : w.now < lot.from)
}

const takes = (w: World, member: Member, lot: Lot) => lot.left > lot.held && !hasEnded(w, member, lot)

function activate(w: World, member: Member, lot: Lot): Expected {
  const isBegun = lot.left > 0 && lot.from <= w.now && !hasEnded(w, member, lot)
  if (lot.begun || isBegun) return DONE
  if (!takes(w, member, lot)) return REFUSED
  lot.begun = true
  lot.wentOn.push(lot.until)
  goOn(w, member, lot, begun(w, lot))
  return DONE
}

function cancel(w: World, member: Member, lot: Lot): Expected {
  if (lot.left === 0 && lot.cancelled) return DONE
  if (!takes(w, member, lot) || lot.from <= w.now) return REFUSED
  giveUp(member, lot)
  return DONE
}

function extend(w: World, member: Member, lot: Lot, expiresAt: Instant): Expected {
  if (lot.wentOn.includes(expiresAt)) return DONE
  const end = endOf(w, member, lot)
  if (!takes(w, member, lot) || end === null) return REFUSED
  if (end === expiresAt && lot.until !== null) return DONE
  if (expiresAt <= end) return { code: 'invalid_request' }
  lot.wentOn.push(expiresAt)
  goOn(w, member, lot, { from: lot.from, until: expiresAt, waits: lot.waits })
  return DONE
}

function reinstate(w: World, member: Member, lot: Lot, expiresAt: Instant | undefined): Expected {
  if (lot.expired.length === 0) return REFUSED
  const { expiry } = settingsOf(w, lot.wallet)
  const until = expiresAt ?? endOfPoints(expiry, { kind: 'none' }, w.now, w.setup.timezone)
  if (until !== null && until <= w.now) return { code: 'invalid_request' }
  for (const over of lot.expired) {
    if (over.again) continue
    over.again = true
    if (until === null) restart(w, member, lot.wallet)
    const { wallet, source } = lot
    member.journal.push({ what: 'expired', wallet, points: -over.points })
    openLot(w, member, { wallet, points: over.points, source, from: w.now, until })
  }
  return DONE
}
