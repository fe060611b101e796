import type { ExplainAnswer, ExplainedLot } from '@laurel/contract/explain'
import type { Uuid } from '@laurel/contract/ids'
import { type Instant, parseInstant } from '@laurel/contract/instants'
import type { WalletSettings } from '@laurel/contract/wallets'
import { decimalsOf } from '../base/currencies.ts'
import { TEXTS, type Amount, type Texts } from './explain.texts.ts'

/** A language that there are texts in, and the tag that amounts and dates are written by. */
export type Language = { tag: string; texts: Texts; locale: string }

/** What bare English is written by: dates that can be read one way only. */
const LOCALES: Record<string, string> = { en: 'en-GB' }
const FALLBACK = 'en'

/**
 * The first of the languages asked for that there are texts in, or English. `lang` goes before Accept-Language, of
 * which the order of weights counts.
 */
export function languageOf(lang: string | undefined, accepted: string | undefined): Language {
  for (const tag of [...(lang === undefined ? [] : [lang]), ...weighted(accepted ?? '')]) {
    const [base = ''] = tag.toLowerCase().split('-')
    const texts = TEXTS.get(base)
    if (texts) return { tag: base, texts, locale: localeOf(tag, base) }
  }
  return { tag: FALLBACK, texts: TEXTS.get(FALLBACK) as Texts, locale: localeOf(FALLBACK, FALLBACK) }
}

function weighted(header: string): string[] {
  return header
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((text) => text.trim())
      const weight = Number(parameters.find((text) => text.startsWith('q='))?.slice(2) ?? 1)
      return { tag, weight: Number.isNaN(weight) ? 0 : weight }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}

function localeOf(tag: string, base: string): string {
  if (tag.toLowerCase() === base) return LOCALES[base] ?? base
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? base
  } catch {
    return LOCALES[base] ?? base
  }
}

/** What the sentences need besides the explanation. */
export type Said = {
  answer: Omit<ExplainAnswer, 'language' | 'sentences'>
  programName: string
  currency: string
  settings: WalletSettings
  /** by the id of a source */
  names: ReadonlyMap<Uuid, string>
  /** of each lot, by its entry's id */
  sources: ReadonlyMap<string, Uuid>
  totals: ReadonlyMap<string, readonly Total[]>
  when: 'past' | 'now' | 'ahead'
}
export type Total = { kind: string; points: number; entries: number }

/** An explanation as sentences that can be read out: the balance, what it is made of, then each lot. */
export function sentencesOf(spoken: Said, { texts, locale, tag }: Language): string[] {
  const { answer, when } = spoken
  const amount = amounts(spoken, locale, tag, texts)
  const on = dates(locale, answer.timezone)
  const at = `${on(answer.at)} (${answer.timezone})`
  const said = [
    texts.balance[when]({ at, wallet: answer.wallet, program: spoken.programName, amount: amount(answer.balance) }),
    ...splitOf(answer, texts, amount, locale),
    ...(answer.owed > 0 ? [texts.owed(amount(answer.owed))] : []),
    ...answer.lots.flatMap((lot) => lotSentences(lot, spoken, texts, amount, on)),
    ...(answer.next === null ? [] : [texts.more]),
  ]
  return said.map((sentence) => sentence.replace(/\s+/g, ' ').trim())
}

type Amounts = (points: number) => Amount
type Dates = (instant: string) => string

/** Points in words: money as money, all else with the wallet's own word in this language, as far as it has one. */
function amounts({ settings, currency }: Said, locale: string, tag: string, texts: Texts): Amounts {
  const plural = new Intl.PluralRules(locale)
  if (settings.unit === 'money') {
    const decimals = decimalsOf(currency)
    const money = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    })
    return (points) => ({ text: money.format(exactly(points, decimals)), one: false })
  }
  const { names } = settings
  const words = names[locale] ?? names[tag] ?? names.en ?? Object.values(names)[0] ?? texts.units[settings.unit]
  const number = new Intl.NumberFormat(locale)
  return (points) => {
    const one = plural.select(points) === 'one'
    return { text: `${number.format(points)} ${one ? words.one : words.other}`, one }
  }
}

/** As a decimal number in digits, which Intl takes exactly. */
function exactly(minor: number, decimals: number): Intl.StringNumericLiteral {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  const text = decimals === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`
  return `${minor < 0 ? '-' : ''}${text}` as Intl.StringNumericLiteral
}

function dates(locale: string, timeZone: string): Dates {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone })
  return (instant) => format.format((parseInstant(instant) as Instant) / 1000)
}

function splitOf(answer: Said['answer'], texts: Texts, amount: Amounts, locale: string): string[] {
  const free = answer.available + answer.owed
  const parts = [
    ...(free > 0 ? [texts.parts.available(amount(free))] : []),
    ...(answer.pending > 0 ? [texts.parts.pending(amount(answer.pending))] : []),
    ...(answer.held > 0 ? [texts.parts.held(amount(answer.held))] : []),
    ...(answer.due > 0 ? [texts.parts.due(amount(answer.due))] : []),
  ]
  if (parts.length === 0) return []
  return [texts.ofThat(new Intl.ListFormat(locale, { type: 'conjunction' }).format(parts))]
}

function lotSentences(lot: ExplainedLot, spoken: Said, texts: Texts, amount: Amounts, on: Dates): string[] {
  const totals = spoken.totals.get(lot.entry) ?? []
  const said = [cameOf(lot, spoken, texts, amount, on)]
  for (const total of totals) said.push(changeOf(lot, total, texts, amount, on))
  for (const { points, deadline, reason } of lot.holds) {
    said.push(texts.held({ amount: amount(points), until: on(deadline), reason }))
  }
  if (lot.state === 'active' && lot.due > 0) said.push(texts.sought(amount(lot.due)))
  said.push(leftOf(lot, texts, amount, on))
  return [said.map((sentence) => `${sentence}.`).join(' ')]
}

function cameOf(lot: ExplainedLot, spoken: Said, texts: Texts, amount: Amounts, on: Dates): string {
  const p = { amount: amount(lot.points), on: on(lot.bookedAt), reason: lot.reason ?? '' }
  if (lot.kind === 'move') return texts.moved(p)
  if (lot.kind === 'reinstate') return texts.givenAgain(p)
  const type = lot.kind === 'merge' ? 'merge' : lot.source.type
  const occurredAt = lot.kind === 'merge' ? lot.bookedAt : lot.source.occurredAt
  const came = texts.came({ amount: p.amount, source: type, name: nameOf(lot, spoken, texts), on: on(occurredAt) })
  const rule = lot.rule ? texts.rule({ ...lot.rule, why: lot.rule.why ?? '' }) : ''
  return `${came}${rule}${!lot.rule && p.reason ? ` (${p.reason})` : ''}`
}

/** What the source goes by; a moment of life in words. */
function nameOf(lot: ExplainedLot, { names, sources }: Said, texts: Texts): string {
  const name = names.get(sources.get(lot.entry) ?? '') ?? lot.source.externalId ?? lot.source.id
  return lot.source.type === 'member' ? (new Map(Object.entries(texts.moments)).get(name) ?? name) : name
}

function changeOf(lot: ExplainedLot, total: Total, texts: Texts, amount: Amounts, on: Dates): string {
  const words: Record<string, ((amount: Amount) => string) | undefined> = total.points < 0 ? texts.took : texts.gave
  const word = words[total.kind] ?? words.other
  const only = lot.changes.find((change) => change.kind === total.kind && change.points < 0 === total.points < 0)
  const how =
    total.entries > 1 || !only
      ? texts.severalTimes(total.entries)
      : texts.once({ on: on(only.bookedAt), reason: only.reason ?? '' })
  return `${word?.(amount(Math.abs(total.points))) ?? ''}${how}`
}

function leftOf(lot: ExplainedLot, texts: Texts, amount: Amounts, on: Dates): string {
  const left = amount(lot.state === 'active' ? lot.remaining - lot.due : lot.remaining)
  const until = lot.expiresAt === null ? null : on(lot.expiresAt)
  if (lot.state === 'used' || (lot.state === 'active' && lot.remaining === lot.due)) return texts.used
  if (lot.state === 'pending')
    return texts.pending({ amount: left, from: lot.activatesAt === null ? null : on(lot.activatesAt), until })
  return texts.left[lot.state]({ amount: left, until })
}
