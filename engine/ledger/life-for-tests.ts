import { DAY, FAR, type Instant } from '@laurel/contract/instants'
import { auditBooks } from './audit.rules.ts'
import type { Draft, Entry, Hold, Lot, LotUse, MemberState, TermsOf, WalletTerms } from './books.ts'
import { newState } from './chain.rules.ts'
import { type Clawed, claw } from './clawback.rules.ts'
import { endedIn } from './ended.rules.ts'
import { capture, place, release } from './holds.rules.ts'
import type { UseThen } from './explain-columns.rules.ts'
import { credit, debit, draft } from './ledger.rules.ts'
import { cancelLot, moveLot, reinstateLot } from './moves.rules.ts'
import { refund } from './refunds.rules.ts'
import { hasPassed, passTime, settleTime, standingOf, type Told } from './time.rules.ts'

export const WALLET = 7
export const GRACE = 3 * DAY
export const START: Instant = Date.UTC(2026, 0, 1) * 1000
const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`

/** What may happen next. `which`: of those that there are, by number, wherever there are several. Days, but for `after`: hours. */
export type Step = { after: number } & (
  | { do: 'earn'; points: number; pending: number | 'event'; lives: number }
  | { do: 'spend'; points: number }
  | { do: 'hold'; points: number; hours: number }
  | { do: 'capture'; which: number; points: number }
  | { do: 'refund'; which: number; points: number; grace: boolean }
  | { do: 'extend'; which: number; days: number }
  | { do: 'return'; which: number; share: number }
  | { do: 'release' | 'activate' | 'cancel' | 'reinstate'; which: number }
  | { do: 'wait' }
)

/** One member's life by the rules of the ledger, stored and loaded again between steps as the gate does it. */
export class Life {
  terms: TermsOf
  state: MemberState = newState(id(1))
  lots = new Map<number, Lot>()
  holds: Hold[] = []
  entries: Entry[] = []
  uses: UseThen[] = []
  clawed = new Map<string, Clawed>()
  told: Told[] = []
  now = START
  n = 0

  constructor(terms: WalletTerms) {
    this.terms = () => terms
  }

  step(step: Step): void {
    this.now += (step.after * DAY) / 24
    this.n += 1
    const d = this.open()
    if (hasPassed(this.state, this.terms, this.now)) this.told.push(...passTime(d, this.now))
    this.act(d, step)
    this.told.push(...settleTime(d, this.now))
    this.keep(d)
  }

  /** What the worker asks, whether or not something is due. */
  passTime(): void {
    const d = this.open()
    this.told.push(...passTime(d, this.now), ...settleTime(d, this.now))
    this.keep(d)
  }

  open(): Draft {
    return draft(
      this.state,
      { lots: [...this.lots.values()], holds: this.holds.filter((hold) => hold.status === 1) },
      this.terms,
    )
  }

  keep(d: Draft): void {
    this.state = d.state
    for (const lot of d.lots) this.lots.set(lot.seq, lot.slides ? { ...lot, expiresAt: null, slides: false } : lot)
    this.entries.push(...d.entries)
    this.uses.push(...d.uses.map((use) => ({ ...use, written: d.state.version })))
    for (const hold of d.changedHolds) this.holds = [...this.holds.filter((one) => one.id !== hold.id), hold]
  }

  standing(at = this.now) {
    return standingOf(this.open(), WALLET, at)
  }

  /** What verify says of these books. */
  audit(): string | undefined {
    const lots = [...this.lots.values()].filter((lot) => this.uses.some((use) => use.lotSeq === lot.seq))
    return auditBooks({ state: this.state, entries: this.entries, lots, uses: this.uses, holds: this.holds }, this.now)
  }

  /** What of a source's lots ended unused, these books included. */
  ended(source: string, d: Pick<Draft, 'entries' | 'uses'> = { entries: [], uses: [] }): number {
    const [entries, uses] = [
      [...this.entries, ...d.entries],
      [...this.uses, ...d.uses],
    ]
    const all = endedIn(entries, uses, (seq) => entries[seq - 1]?.source)
    return all.reduce((sum, one) => sum + (one.source === source ? one.points : 0), 0)
  }

  /** What a spend took from lots and was not given back. */
  left(spend: Entry): LotUse[] {
    const of = (seq: number) => this.entries[seq - 1]
    const all = this.uses.filter((use) => use.seq === spend.seq || of(use.seq)?.reverses === spend.seq)
    const net = new Map<number, number>()
    for (const use of all) net.set(use.lotSeq, (net.get(use.lotSeq) ?? 0) + use.points)
    return [...net].map(([lotSeq, points]) => ({ seq: spend.seq, lotSeq, points }))
  }

  /** What is refused changes nothing. */
  private act(d: Draft, step: Step): unknown {
    const why = { source: id(100 + this.n), digest: id(0), occurredAt: this.now, now: this.now }
    switch (step.do) {
      case 'earn': {
        const event = step.pending === 'event'
        const activatesAt = step.pending === 'event' ? FAR : this.now + step.pending * DAY
        const expiresAt = step.lives === 0 && !event ? null : (event ? this.now : activatesAt) + step.lives * DAY
        return credit(d, WALLET, step.points, { ...why, kind: 'earn' }, { activatesAt, expiresAt })
      }
      case 'spend':
        return debit(d, WALLET, step.points, { ...why, kind: 'spend' })
      case 'hold': {
        const deadline = this.now + (step.hours * DAY) / 24
        const said = { member: id(1), id: id(100 + this.n), programId: 1, digest: id(0), reason: '', externalId: null }
        return place(d, [{ walletId: WALLET, points: step.points }], { ...said, deadline, placedAt: this.now })
      }
      case 'capture':
      case 'release': {
        const hold = pick(
          d.holds.filter((one) => one.status === 1),
          step.which,
        )
        if (!hold) return undefined
        if (step.do !== 'capture') return release(d, hold, this.now)
        const points = Math.min(step.points, hold.parts[0]?.p ?? 0)
        return capture(d, hold, [points], { ...why, source: hold.id })
      }
      case 'return':
        return this.giveBack(d, step.which, step.share, why)
      default:
        return this.change(d, step, why)
    }
  }

  private giveBack(d: Draft, which: number, share: number, why: Omit<Parameters<typeof claw>[4], 'reverses'>): unknown {
    const earned = pick(
      this.entries.filter((entry) => entry.kind === 1),
      which,
    )
    if (!earned) return undefined
    const before = this.clawed.get(earned.source) ?? { walletId: WALLET, lots: [], writtenOff: 0 }
    const due = Math.floor((earned.points * share) / 100)
    const ended = this.ended(earned.source, d)
    const [after] = claw(d, earned.source, before, due, { ...why, reverses: earned.seq }, ended)
    return this.clawed.set(earned.source, after)
  }

  private change(
    d: Draft,
    step: Step,
    why: { source: string; digest: string; occurredAt: Instant; now: Instant },
  ): unknown {
    const { now } = this
    const free = d.lots.filter((lot) => lot.remaining > lot.held && (lot.expiresAt === null || lot.expiresAt > now))
    const pending = free.filter((lot) => lot.activatesAt > now)
    switch (step.do) {
      case 'refund': {
        const spend = pick(
          this.entries.filter((entry) => entry.kind === 2),
          step.which,
        )
        const uses = spend ? this.left(spend) : []
        const points = Math.min(
          step.points,
          uses.reduce((sum, use) => sum + use.points, 0),
        )
        if (!spend || points === 0) return undefined
        const grace = () => (step.grace ? now + GRACE : undefined)
        return refund(d, WALLET, uses, points, grace, { ...why, reverses: spend.seq }, spend)
      }
      case 'activate': {
        const lot = pick(pending, step.which)
        const expiresAt = lot?.activatesAt === FAR ? now + 5 * DAY : lot?.slides ? null : (lot?.expiresAt ?? null)
        return lot && moveLot(d, lot, { activatesAt: now, expiresAt }, why)
      }
      case 'cancel': {
        const lot = pick(pending, step.which)
        return lot && cancelLot(d, lot, why)
      }
      case 'extend': {
        const lot = pick(
          free.filter((one) => one.expiresAt !== null),
          step.which,
        )
        const expiresAt = (lot?.expiresAt ?? 0) + step.days * DAY
        return lot && moveLot(d, lot, { activatesAt: lot.activatesAt, expiresAt }, why)
      }
      case 'reinstate': {
        const [entries, uses] = [
          [...this.entries, ...d.entries],
          [...this.uses, ...d.uses],
        ]
        const again = new Set(entries.filter((one) => one.kind === 15).map((one) => one.reverses))
        const expired = pick(
          entries.filter((one) => one.kind === 6 && !again.has(one.seq)),
          step.which,
        )
        const lot = d.lots.find((one) => uses.some((u) => u.seq === expired?.seq && u.lotSeq === one.seq))
        if (!expired || !lot) return undefined
        const dates = { activatesAt: now, expiresAt: now + 4 * DAY }
        return reinstateLot(d, lot, expired.points, dates, { ...why, reverses: expired.seq })
      }
      default:
        return undefined
    }
  }
}

export function pick<T>(all: readonly T[], which: number): T | undefined {
  return all[which % Math.max(1, all.length)]
}
