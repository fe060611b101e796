import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { FAR, formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { Configuration } from './earning/configuration.ts'
import { walletAnswers, walletsNow } from './gate/answers.ts'
import type { ChangeLotAsk, Facts } from './gate/asks.ts'
import { type Opened, openBooks, settleBooks } from './gate/books.ts'
import { givenDates } from './gate/dates.ts'
import { type Decision, isRefusal, tell, type Verb } from './gate/decisions.ts'
import { lotDigest } from './gate/digests.ts'
import { MovedError } from './gate/faults.ts'
import { findMember, namedMember, type Slices } from './gate/slices.ts'
import { begunDates } from './gate/waiting.ts'
import { KINDS } from './ledger/accounts.ts'
import type { Dates, Lot, MemberState, Why } from './ledger/books.ts'
import type { FateUse, LotFate } from './ledger/fates.sql.ts'
import { hasEnded, isActive, isPending } from './ledger/ledger.rules.ts'
import { cancelLot, moveLot, reinstateLot } from './ledger/moves.rules.ts'

/**
 * What happens when staff change when points can be spent: a pending lot begins now, or is given up; a lot gets a later end; what expired
 * of one comes again. What is held of a lot stays as it is. Lots never change: what goes on under other dates is a lot of its own,
 * with the same source, so that returns find it. Twice is once. Refusals: entry_unknown, purchase_unknown, program_paused,
 * member_merged, lot_state, invalid_request, amount_out_of_range.
 */
export const changeLot: Verb<ChangeLotAsk> = {
  name: () => undefined,

  needs() {},

  furtherNeeds({ of }, facts, slices, needs) {
    const named = namedMember(slices, facts.member)
    const member = 'lot' in of ? named : findMember(slices, facts.member)
    if (!named || !member) return
    needs.lots.add(member.member)
    if ('lot' in of) needs.lotsBySeq.push({ member: member.member, seq: of.lot })
    else needs.purchases.push({ member: named.member, id: of.purchase })
  },

  decide(slices, ask, facts) {
    const member = 'lot' in ask.of ? namedMember(slices, facts.member) : findMember(slices, facts.member)
    const found = member ? lotsOf(slices, ask, member) : unknown(ask, undefined)
    if (!member || isRefusal(found)) return isRefusal(found) ? found : unknown(ask, undefined)
    if (member.mergedInto !== null)
      return refusal('member_merged', 'the points are those of a member who was merged into another since')
    const paused = found.map(({ walletId }) => walletOf(slices.configuration, walletId).program)
    const stopped = paused.find(({ status }) => status === 'paused')
    if (stopped) return refusal('program_paused', `the program "${stopped.slug}" is paused`)
    const opened = openBooks(slices, member, facts)
    const changed: Changed[] = []
    for (const { seq } of found) {
      const lot = opened.books.lots.find((one) => one.seq === seq)
      if (!lot) throw new Error(`lot ${seq} was read but is not known`)
      const what = changeOne(slices, ask, opened, lot, facts)
      if (isRefusal(what)) return what
      changed.push(...what)
    }
    return conclude(slices, ask, member, opened, changed, facts)
  },
}

type Changed = { lot: Lot; seq: number; points: number; dates: Dates | null }

/** The lot itself; or of a purchase those that wait. */
function lotsOf(slices: Slices, ask: ChangeLotAsk, member: MemberState): Lot[] | Refusal {
  const known = slices.lots.get(member.member)
  if (!known) throw new MovedError('lots were not read')
  const { of } = ask
  if ('lot' in of) {
    const lot = known.find(({ seq }) => seq === of.lot)
    return lot ? [lot] : unknown(ask, member)
  }
  if (!slices.purchases.has(of.purchase)) return unknown(ask, member)
  return known.filter((lot) => lot.source === of.purchase && lot.remaining > lot.held && lot.activatesAt > lot.bookedAt)
}

function unknown({ of }: ChangeLotAsk, member: MemberState | undefined): Refusal {
  return 'lot' in of
    ? refusal(
        'entry_unknown',
        `there is no lot${member ? ` "${encodeEntryId(member.member, of.lot)}"` : ' of that id'}`,
      )
    : refusal('purchase_unknown', `there is no purchase "${encodeId('pur', of.purchase)}"`)
}

function walletOf(configuration: Configuration, walletId: number) {
  const wallet = configuration.byWalletId.get(walletId)
  if (!wallet) throw new Error(`wallet ${walletId} is not in the configuration`)
  return wallet
}

function changeOne(slices: Slices, ask: ChangeLotAsk, opened: Opened, lot: Lot, facts: Facts): Changed[] | Refusal {
  // Of a purchase, only what still waits is changed: its lots were not asked for one by one.
  const read = 'lot' in ask.of ? slices.fates.get(`${opened.books.state.member} ${lot.seq}`) : NO_FATE
  if (!read) throw new MovedError(`what became of lot ${lot.seq} was not read`)
  const fate = { ...read, uses: [...read.uses, ...bookedNow(opened, lot)] }
  switch (ask.change) {
    case 'activate':
      return activate(slices, ask, opened, lot, fate, facts)
    case 'cancel':
      return cancel(ask, opened, lot, fate, facts)
    case 'extend':
      return extend(ask, opened, lot, fate, facts)
    case 'reinstate':
      return reinstate(slices.configuration, ask, opened, lot, fate, facts)
  }
}

/** What time did to the lot and this very decision books: the same is answered, whether the worker was there before or not. */
function bookedNow({ books }: Opened, lot: Lot): FateUse[] {
  return books.entries.flatMap((entry) => {
    const use = books.uses.find(({ seq, lotSeq }) => seq === entry.seq && lotSeq === lot.seq)
    return use
      ? [{ ...entry, points: use.points, reverses: null, activatesAt: null, expiresAt: null, again: null }]
      : []
  })
}

const NO_FATE: LotFate = { kind: 0, reverses: null, uses: [] }
const NOTHING: Changed[] = []

/** It begins now. One that waited for an event ends as it is given by then (gate/waiting.ts), any other when it would have. */
function activate(
  slices: Slices,
  ask: ChangeLotAsk,
  opened: Opened,
  lot: Lot,
  fate: LotFate,
  facts: Facts,
): Changed[] | Refusal {
  const active = lot.remaining > 0 && isActive(lot, facts.now)
  if (active || fate.uses.some((use) => begins(use, lot))) return NOTHING
  const state = waits(lot, facts.now)
  if (state) return 'purchase' in ask.of ? NOTHING : refusal('lot_state', state)
  const dates = isFar(lot.activatesAt)
    ? begunDates(slices, opened.books.state.member, lot, facts)
    : { activatesAt: facts.now, expiresAt: lot.slides ? null : lot.expiresAt }
  return [move(ask, opened, lot, dates, 'points.activated', facts)]
}

function cancel(ask: ChangeLotAsk, opened: Opened, lot: Lot, fate: LotFate, facts: Facts): Changed[] | Refusal {
  if (lot.remaining === 0 && fate.uses.some((use) => use.kind === KINDS.cancel.code)) return NOTHING
  const state = waits(lot, facts.now)
  if (state) return 'purchase' in ask.of ? NOTHING : refusal('lot_state', state)
  const { books, events } = opened
  const why = whyOf(ask, opened, KINDS.cancel.code, lot.seq, facts)
  const entry = cancelLot(books, lot, { ...why, source: facts.id, occurredAt: facts.now })
  if (!entry) return NOTHING
  events.push(tell(books.state, 'points.cancelled', { entry: entry.seq, lot: lot.seq }))
  return [{ lot, seq: entry.seq, points: entry.points, dates: null }]
}

/** Never earlier than it would end. One that waits for an event may wait until then. */
function extend(ask: ChangeLotAsk, opened: Opened, lot: Lot, fate: LotFate, facts: Facts): Changed[] | Refusal {
  const expiresAt = ask.expiresAt ?? 0
  if (fate.uses.some((use) => use.kind === KINDS.move.code && use.expiresAt === expiresAt)) return NOTHING
  const state = takes(lot, facts.now)
  if (state) return refusal('lot_state', state)
  if (lot.expiresAt === null) return refusal('lot_state', 'the lot does not end')
  if (lot.expiresAt === expiresAt && !lot.slides) return NOTHING
  if (expiresAt <= lot.expiresAt || expiresAt >= FAR)
    return refusal('invalid_request', 'an extended lot ends later than it would have', [
      { pointer: '/expiresAt', detail: `expected an instant after ${formatInstant(lot.expiresAt)} and before 2255` },
    ])
  return [move(ask, opened, lot, { activatesAt: lot.activatesAt, expiresAt }, 'points.extended', facts)]
}

/** Every entry by which something of it expired is undone, once: a new lot each. */
function reinstate(
  configuration: Configuration,
  ask: ChangeLotAsk,
  opened: Opened,
  lot: Lot,
  fate: LotFate,
  facts: Facts,
): Changed[] | Refusal {
  const { books, events } = opened
  const expired = fate.uses.filter((use) => use.kind === KINDS.expire.code)
  if (expired.length === 0) return refusal('lot_state', 'nothing of the lot has expired')
  const given = givenDates(configuration, lot.walletId, facts.now)
  const expiresAt = ask.expiresAt ?? given?.expiresAt ?? null
  if (expiresAt !== null && (expiresAt <= facts.now || expiresAt >= FAR))
    return refusal('invalid_request', 'what comes again has to end later than now', [
      { pointer: '/expiresAt', detail: 'expected an instant after now and before 2255' },
    ])
  const dates = { activatesAt: facts.now, expiresAt }
  const changed: Changed[] = []
  for (const { seq, points } of expired.filter((use) => use.again === null)) {
    const why = whyOf(ask, opened, KINDS.reinstate.code, seq, facts)
    const made = reinstateLot(books, lot, points, dates, { ...why, reverses: seq })
    if (isRefusal(made)) return made
    events.push(tell(books.state, 'points.reinstated', { entry: made.seq }))
    changed.push({ lot, seq: made.seq, points, dates })
  }
  return changed
}

function move(ask: ChangeLotAsk, opened: Opened, lot: Lot, dates: Dates, type: string, facts: Facts): Changed {
  const { books, events } = opened
  const moved = moveLot(books, lot, dates, whyOf(ask, opened, KINDS.move.code, lot.seq, facts))
  events.push(tell(books.state, type, { entry: moved.seq, points: moved.points }))
  return { lot, seq: moved.seq, points: moved.points, dates }
}

function whyOf(
  { reason }: ChangeLotAsk,
  { books }: Opened,
  kind: number,
  of: number,
  facts: Facts,
): Pick<Why, 'digest' | 'now' | 'actor' | 'reason'> {
  return {
    digest: lotDigest(books.state.member, kind, of, reason),
    now: facts.now,
    reason,
    ...(facts.actor ? { actor: facts.actor } : {}),
  }
}

/** Whether by that entry what was left of the pending lot began. */
function begins(use: FateUse, lot: Lot): boolean {
  return use.kind === KINDS.move.code && use.activatesAt === use.bookedAt && lot.activatesAt > use.bookedAt
}

/** Why nothing of the lot can go on; undefined where something can. */
function takes(lot: Lot, now: Instant): string | undefined {
  if (lot.remaining === 0) return 'nothing is left of the lot'
  if (hasEnded(lot, now)) return 'the end of the lot has passed'
  return lot.held === lot.remaining ? 'all that is left of the lot is held' : undefined
}

/** Why the lot is not pending; undefined where it is. */
function waits(lot: Lot, now: Instant): string | undefined {
  return takes(lot, now) ?? (isPending(lot, now) ? undefined : 'the lot is active')
}

function conclude(
  slices: Slices,
  ask: ChangeLotAsk,
  member: MemberState,
  opened: Opened,
  changed: readonly Changed[],
  facts: Facts,
): Decision {
  const { books, events } = opened
  settleBooks(opened, facts)
  const id: Uuid = member.member
  const instant = (at: Instant | null | undefined) =>
    at === null || at === undefined || isFar(at) ? null : formatInstant(at)
  const one = changed.length > 0
  return {
    status: 200,
    body: JSON.stringify({
      change: ask.change,
      member: encodeId('mem', id),
      reason: ask.reason,
      at: formatInstant(facts.now),
      points: changed.reduce((sum, { points }) => sum + points, 0),
      changed: changed.map(({ lot, seq, points, dates }) => ({
        lot: encodeEntryId(id, lot.seq),
        entry: encodeEntryId(id, seq),
        wallet: walletOf(slices.configuration, lot.walletId).slug,
        points,
        activatesAt: instant(dates?.activatesAt),
        expiresAt: instant(dates?.expiresAt),
      })),
      wallets: one
        ? walletAnswers(slices.configuration, books.state, undefined)
        : walletsNow(slices, member, undefined, facts.now),
    }),
    ...(one ? { changes: { member: id, at: facts.now, books, events, names: [] } } : {}),
  }
}
