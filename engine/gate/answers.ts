import type { AdjustmentAnswer } from '@laurel/contract/adjustments'
import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { Activity } from '../activities/activities.rules.ts'
import { isMoment } from '../activities/moments.rules.ts'
import { type Adjustment, STATUS_NAMES } from '../adjustments/adjustments.rules.ts'
import type { WalletSettings } from '@laurel/contract/wallets'
import { type Configuration, type Program, versionById } from '../earning/configuration.ts'
import type { MemberState } from '../ledger/books.ts'
import { draft } from '../ledger/ledger.rules.ts'
import { hasPassed, type Standing, standing, standingOf } from '../ledger/time.rules.ts'
import { emptyWallet, type WalletState } from '../ledger/wallets.rules.ts'
import { termsOf } from './dates.ts'
import { findMember, heldBy, type Slices } from './slices.ts'
import type { Purchase, Return, StoredAward } from '../purchases/purchases.rules.ts'
import type { Unclaimed } from '../unclaimed/unclaimed.rules.ts'

/** A wallet as clients see it. All in units; available can be spent now, and is below zero by what is owed. */
export type WalletAnswer = {
  program: string
  wallet: string
  available: number
  pending: number
  held: number
  lifetimeEarned: number
  lifetimeSpent: number
  lifetimeReversed: number
  lifetimeExpired: number
  lifetimeAdjusted: number
  lifetimeMoved: number
  /** stamps: how many fill a card, and how many cards are full */
  target?: number
  cards?: number
}

export function walletAnswer(
  { program, slug, settings }: { program: Program; slug: string; settings: WalletSettings },
  w: WalletState,
  now: Standing = standing(w),
): WalletAnswer {
  const answer: WalletAnswer = {
    program: program.slug,
    wallet: slug,
    available: now.available,
    pending: now.pending,
    held: now.held,
    lifetimeEarned: w.e,
    lifetimeSpent: w.s,
    lifetimeReversed: w.r + now.back,
    lifetimeExpired: w.x + now.over,
    lifetimeAdjusted: w.a,
    lifetimeMoved: w.m,
  }
  if (settings.target !== undefined) {
    answer.target = settings.target
    answer.cards = Math.max(0, Math.floor(now.available / settings.target))
  }
  return answer
}

/** Wallets as JSON text. Slugs are ASCII without anything to escape. */
export function walletsText(wallets: readonly WalletAnswer[]): string {
  let text = '['
  for (const w of wallets) {
    text +=
      `${text === '[' ? '' : ','}{"program":"${w.program}","wallet":"${w.wallet}","available":${w.available},` +
      `"pending":${w.pending},"held":${w.held},"lifetimeEarned":${w.lifetimeEarned},"lifetimeSpent":${w.lifetimeSpent},` +
      `"lifetimeReversed":${w.lifetimeReversed},"lifetimeExpired":${w.lifetimeExpired},` +
      `"lifetimeAdjusted":${w.lifetimeAdjusted},"lifetimeMoved":${w.lifetimeMoved}` +
      (w.target === undefined ? '}' : `,"target":${w.target},"cards":${w.cards}}`)
  }
  return `${text}]`
}

/** The wallets of one program, zeros included, and those of others that the member has used, as of a decision on them. */
export function walletAnswers(
  configuration: Configuration,
  state: MemberState,
  programId: number | undefined,
): WalletAnswer[] {
  return answersOf(configuration, state, programId, standing)
}

/** As walletAnswers, where nothing was decided: as time has made them by now, of whoever the member lives on as. */
export function walletsNow(
  slices: Slices,
  state: MemberState,
  programId: number | undefined,
  now: Instant,
): WalletAnswer[] {
  const terms = termsOf(slices.configuration)
  const whose = findMember(slices, { id: state.member }) ?? state
  const held = hasPassed(whose, terms, now) ? heldBy(slices, whose.member) : undefined
  if (!held) return walletAnswers(slices.configuration, whose, programId)
  const books = draft(whose, held, terms)
  return answersOf(slices.configuration, whose, programId, (w) => standingOf(books, w.w, now))
}

function answersOf(
  configuration: Configuration,
  state: MemberState,
  programId: number | undefined,
  standingNow: (w: WalletState) => Standing,
): WalletAnswer[] {
  const answers: WalletAnswer[] = []
  for (const program of configuration.programs) {
    for (const { walletId } of program.wallets) {
      const held = state.wallets.find((w) => w.w === walletId)
      if (!held && program.programId !== programId) continue
      const wallet = configuration.byWalletId.get(walletId)
      if (wallet) answers.push(walletAnswer(wallet, held ?? emptyWallet(walletId), held && standingNow(held)))
    }
  }
  return answers
}

/** An award as clients see it, from the rule version that made it. */
export type AwardAnswer = { rule: string; version: number; wallet: string; points: number; why: string }

export function awardAnswers(
  configuration: Configuration,
  program: Program,
  awards: readonly StoredAward[],
): AwardAnswer[] {
  return awards.map(([ruleVersionId, points, why]) => {
    const made = versionById(configuration, ruleVersionId)
    if (!made) throw new Error(`rule version ${ruleVersionId} is not in the configuration`)
    return {
      rule: encodeId('rul', made.rule),
      version: made.version,
      wallet: walletSlug(program, made.walletId),
      points,
      why,
    }
  })
}

export function walletSlug(program: Program, walletId: number): string {
  return program.wallets.find((w) => w.walletId === walletId)?.slug ?? `wallet ${walletId}`
}

/** Points in the wallet `points`: what a till prints. */
export function pointsOf(awards: readonly AwardAnswer[]): number {
  let points = 0
  for (const award of awards) if (award.wallet === 'points') points += award.points
  return points
}

/** A purchase as clients see it, as JSON text without its closing brace: a caller may add to it. Items are as stored. */
export function purchaseText(configuration: Configuration, program: Program, p: Purchase): string {
  const awards = awardAnswers(configuration, program, p.awards)
  return (
    saidText(program, p, `"member":"${encodeId('mem', p.member)}","status":"recorded"`) +
    (p.claimed === null ? '' : `,"claimedAt":"${formatInstant(p.claimed.at)}"`) +
    `,"points":${pointsOf(awards)},"awards":${JSON.stringify(awards)}`
  )
}

/** The whole of it, with the member's wallets. */
export function purchaseBody(
  configuration: Configuration,
  program: Program,
  p: Purchase,
  wallets: readonly WalletAnswer[],
): string {
  return `${purchaseText(configuration, program, p)},"wallets":${walletsText(wallets)}}`
}

/** A purchase that nobody has claimed, without its closing brace. */
export function unclaimedText(program: Program, p: Unclaimed): string {
  return `${saidText(program, p, '"member":null,"status":"unclaimed"')},"points":0,"awards":[]`
}

type Said = Pick<
  Unclaimed,
  'id' | 'externalId' | 'occurredAt' | 'recordedAt' | 'total' | 'itemsText' | 'channel' | 'store' | 'metadata'
>

function saidText(program: Program, p: Said, whose: string): string {
  return (
    `{"id":"${encodeId('pur', p.id)}","program":"${program.slug}","externalId":${JSON.stringify(p.externalId)},${whose},` +
    `"occurredAt":"${formatInstant(p.occurredAt)}","recordedAt":"${formatInstant(p.recordedAt)}",` +
    `"currency":"${program.currency}","total":${p.total},"items":${p.itemsText}` +
    (p.channel === null ? '' : `,"channel":${JSON.stringify(p.channel)}`) +
    (p.store === null ? '' : `,"store":${JSON.stringify(p.store)}`) +
    (p.metadata === null ? '' : `,"metadata":${p.metadata}`)
  )
}

/** An activity as clients see it, as JSON text without its closing brace. Data is as stored. */
export function activityText(configuration: Configuration, program: Program, a: Activity): string {
  const awards = awardAnswers(configuration, program, a.awards)
  return (
    `{"id":"${encodeId('act', a.id)}","program":"${program.slug}","type":"${a.type}",` +
    `"externalId":${isMoment(a.type) ? 'null' : JSON.stringify(a.externalId)},"member":"${encodeId('mem', a.member)}",` +
    `"occurredAt":"${formatInstant(a.occurredAt)}","recordedAt":"${formatInstant(a.recordedAt)}","data":${a.data},` +
    `"points":${pointsOf(awards)},"awards":${JSON.stringify(awards)}`
  )
}

/** A return as clients see it. */
export function returnAnswer(program: Program, r: Return) {
  const points = r.taken.reduce((sum, t) => sum + (walletSlug(program, t.walletId) === 'points' ? t.points : 0), 0)
  return {
    id: encodeId('ret', r.id),
    program: program.slug,
    externalId: r.externalId,
    member: encodeId('mem', r.member),
    purchase: r.purchase === null ? null : encodeId('pur', r.purchase),
    occurredAt: formatInstant(r.occurredAt),
    recordedAt: formatInstant(r.recordedAt),
    lines: r.lines.map((l) => ({
      purchase: encodeId('pur', l.purchase),
      line: l.line,
      sku: l.sku,
      quantity: l.quantity,
      amount: l.amount,
    })),
    unmatched: r.unmatched,
    points,
    reversed: r.taken.map((t) => ({
      purchase: encodeId('pur', t.purchase),
      wallet: walletSlug(program, t.walletId),
      points: t.points,
      writtenOff: t.writtenOff,
      ...(t.gone === undefined ? {} : { gone: t.gone }),
      lots: t.lots.map(([seq, n]) => ({ entry: encodeEntryId(r.member, seq), points: n })),
    })),
  }
}

/** What moved points outside purchases and returns: a spend or an adjustment. */
export function movementText(
  configuration: Configuration,
  program: Program,
  state: MemberState,
  m: {
    prefix: 'spd' | 'adj'
    id: Uuid
    wallet: string
    points: number
    reason: string
    externalId?: string | undefined
    /** an adjustment that waits, and the caller's reason code */
    status?: 'waiting'
    code?: string | undefined
    at: Instant
    entries: number[]
    /** as of the decision unless told */
    wallets?: WalletAnswer[]
  },
): string {
  return JSON.stringify({
    id: encodeId(m.prefix, m.id),
    member: encodeId('mem', state.member),
    program: program.slug,
    wallet: m.wallet,
    points: m.points,
    reason: m.reason,
    ...(m.externalId === undefined ? {} : { externalId: m.externalId }),
    ...(m.status === undefined ? {} : { status: m.status }),
    ...(m.code === undefined ? {} : { code: m.code }),
    at: formatInstant(m.at),
    entries: m.entries.map((seq) => encodeEntryId(state.member, seq)),
    wallets: m.wallets ?? walletAnswers(configuration, state, program.programId),
  })
}

/** An adjustment as clients see it. */
export function adjustmentAnswer(configuration: Configuration, a: Adjustment): AdjustmentAnswer {
  const wallet = configuration.byWalletId.get(a.walletId)
  if (!wallet) throw new Error(`wallet ${a.walletId} is not in the configuration`)
  const key = (id: Uuid | null) => (id === null ? null : encodeId('key', id))
  return {
    id: encodeId('adj', a.id),
    status: STATUS_NAMES[a.status] as AdjustmentAnswer['status'],
    member: encodeId('mem', a.member),
    program: wallet.program.slug,
    wallet: wallet.slug,
    points: a.points,
    reason: a.reason,
    code: a.code,
    requestedAt: formatInstant(a.requestedAt),
    requestedBy: key(a.requestedBy),
    decidedAt: a.decidedAt === null ? null : formatInstant(a.decidedAt),
    decidedBy: key(a.decidedBy),
    decision: a.decision,
    entry: a.entry === null ? null : encodeEntryId(a.entry.member, a.entry.seq),
  }
}
