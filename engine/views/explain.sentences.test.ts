import { describe, expect, test } from 'vitest'
import type { ExplainedLot } from '@laurel/contract/explain'
import { EXPLANATION } from '@laurel/contract/examples-explain'
import { DEFAULT_SETTINGS, type WalletSettings } from '@laurel/contract/wallets'
import { languageOf, type Said, sentencesOf, type Total } from './explain.sentences.ts'
import { TEXTS } from './explain.texts.ts'

const example = EXPLANATION as unknown as Said['answer']
const lot = example.lots[0] as ExplainedLot

function spoken(answer: Partial<Said['answer']>, settings: Partial<WalletSettings> = {}, totals: Total[] = []): Said {
  return {
    answer: { ...example, ...answer },
    programName: 'Coffee Club',
    currency: 'GBP',
    settings: { ...DEFAULT_SETTINGS, ...settings },
    names: new Map(),
    sources: new Map(),
    totals: new Map([[lot.entry, totals]]),
    when: 'now',
  }
}
const say = (said: Said, lang: string) => sentencesOf(said, languageOf(lang, undefined))
const one = (changes: Partial<ExplainedLot>) => ({ lots: [{ ...lot, ...changes }] })

test('the example of the reference says what is said', () => {
  const { language, sentences } = EXPLANATION
  expect(say(spoken({}), language)).toEqual(sentences)
})

describe('amounts', () => {
  const beans = { names: { en: { one: 'bean', other: 'beans' }, de: { one: 'Bohne', other: 'Bohnen' } } }
  test.each([
    ['en', {}, 1, 'holds 1 point.'],
    ['en', {}, 0, 'holds 0 points.'],
    ['en', {}, 1_234_567, 'holds 1,234,567 points.'],
    ['de', {}, 1, 'liegt im Konto „points“ von Coffee Club 1 Punkt.'],
    ['de', {}, 1_234_567, 'liegen im Konto „points“ von Coffee Club 1.234.567 Punkte.'],
    ['en', { unit: 'stamps' }, 2, 'holds 2 stamps.'],
    ['de', { unit: 'stamps' }, 1, 'liegt im Konto „points“ von Coffee Club 1 Stempel.'],
    ['en', beans, 1, 'holds 1 bean.'],
    ['de', beans, 3, 'liegen im Konto „points“ von Coffee Club 3 Bohnen.'],
    ['de', { names: { en: { one: 'bean', other: 'beans' } } }, 3, 'von Coffee Club 3 beans.'],
    ['en', { unit: 'money' }, 9_007_199_254_740_991, 'holds £90,071,992,547,409.91.'],
    ['en', { unit: 'money' }, -5, 'holds -£0.05.'],
    ['de', { unit: 'money' }, 1_234, 'von Coffee Club 12,34 £.'],
    ['en-US', {}, 2, 'On November 22, 2026 at 9:30 AM'],
  ] as const)('in %s, %o: %d', (lang, settings, balance, expected) => {
    const [first = ''] = say(spoken({ balance }, settings as Partial<WalletSettings>), lang)
    expect(first.replaceAll(/[\u00A0\u202F]/g, ' ')).toContain(expected)
  })
})

describe('lots', () => {
  const last = (said: Said, lang: string) => say(said, lang).at(-1) ?? ''
  test('that wait, for a date or for an event', () => {
    const until = { activatesAt: '2026-12-01T00:00:00Z', expiresAt: '2027-06-30T23:00:00Z', state: 'pending' as const }
    expect(last(spoken(one(until)), 'en')).toContain(
      'to be spent from 1 December 2026 at 00:00 until 1 July 2027 at 00:00.',
    )
    expect(last(spoken(one({ ...until, activatesAt: null })), 'en')).toContain(
      'waiting for an event, cancelled if it has not come before 1 July 2027 at 00:00.',
    )
    expect(last(spoken(one({ ...until, activatesAt: null })), 'de')).toContain(
      'in Erwartung eines Ereignisses; storniert, wenn es nicht vor dem 1. Juli 2027 um 00:00 eintritt.',
    )
  })

  test('that are held, past their end, or go on under other dates', () => {
    const holds = [{ hold: 'hld_x', points: 1, deadline: '2026-11-22T10:00:00Z', reason: 'Table 4' }]
    expect(last(spoken(one({ holds })), 'en')).toContain(
      'On hold until 22 November 2026 at 10:00: 1 point of it (Table 4).',
    )
    const over = { state: 'expired' as const, expiresAt: '2026-11-01T00:00:00Z' }
    expect(last(spoken(one(over)), 'de')).toContain(
      '12 Punkte, seit dem 1. November 2026 um 00:00 nicht mehr einlösbar.',
    )
    expect(last(spoken(one({ kind: 'move', reason: 'Sorry' })), 'en')).toMatch(
      /^12 points went on under other dates on 22 November 2026 at 09:30 \(Sorry\)\./,
    )
  })

  test('of which a return takes what came free', () => {
    expect(last(spoken(one({ due: 1 })), 'en')).toContain(
      '1 point of it goes back for a return that had found too little. Left of it: 11 points, without an end.',
    )
    expect(last(spoken(one({ due: 12 })), 'de')).toContain(
      '12 Punkte davon gehen an eine Rückgabe zurück, die zu wenig vorfand. Nichts davon ist übrig.',
    )
  })

  test('that a moment of life gave, in words', () => {
    const source = { ...lot.source, type: 'member' as const, externalId: null, id: 'member.birthday' }
    expect(last(spoken(one({ source, rule: null })), 'en')).toContain('12 points were given for a birthday on 22 Nov')
    expect(last(spoken(one({ source, rule: null })), 'de')).toContain('12 Punkte gab es für den Geburtstag am 22. Nov')
  })

  test('from which different things took several times', () => {
    const totals = [
      { kind: 'spend', points: -5, entries: 2 },
      { kind: 'refund', points: 1, entries: 3 },
      { kind: 'something new', points: -1, entries: 2 },
    ]
    expect(last(spoken({}, {}, totals), 'en')).toContain(
      '5 points of it were spent in 2 steps. 1 point came back from a spending that was undone in 3 steps. ' +
        '1 point of it was taken in 2 steps.',
    )
    expect(last(spoken({}, {}, totals), 'de')).toContain(
      '5 Punkte davon wurden eingelöst, in 2 Schritten. 1 Punkt kam aus einer rückgängig gemachten Einlösung zurück, ' +
        'in 3 Schritten. 1 Punkt davon wurde entnommen, in 2 Schritten.',
    )
  })

  test('whose reasons break no sentence', () => {
    const reason = 'two\nlines   and\u0009more'
    expect(last(spoken(one({ kind: 'move', reason })), 'en')).toContain('(two lines and more).')
  })
})

test('every language says everything in a way of its own', () => {
  for (const [tag, texts] of TEXTS) {
    for (const [kind, word] of Object.entries({ ...texts.took, ...texts.gave })) {
      expect(word({ text: '1 x', one: true }), `${tag} ${kind}`).toContain('1 x')
    }
  }
  const [en, de] = [TEXTS.get('en'), TEXTS.get('de')]
  expect(Object.keys(de?.took ?? {})).toEqual(Object.keys(en?.took ?? {}))
  expect(say(spoken({}), 'de')).not.toEqual(say(spoken({}), 'en'))
})
