import type { SourceType } from '@laurel/contract/sources'
import { en } from './explain.en.ts'
import { de } from './explain.de.ts'

/** So many of a wallet's points in words, and whether that is one: the verb goes by it. */
export type Amount = { text: string; one: boolean }

/** Kinds of entries that take from lots, and that give back to them. */
type Taking = 'spend' | 'reverse' | 'adjust' | 'expire' | 'move' | 'cancel' | 'transfer' | 'convert' | 'merge' | 'fee'
type Giving = 'restore' | 'refund' | 'merge'
type Moment = `member.${'joined' | 'birthday' | 'anniversary' | 'profile_complete' | 'inactive'}`

/**
 * The sentences of one language. Another language is a file like explain.de.ts and a line in TEXTS. Names, reasons and
 * a rule's `why` come as they are stored; dates and amounts come written.
 */
export type Texts = {
  /** What the points and stamps of a wallet are called that has no name in any language. */
  units: Record<'points' | 'stamps', { one: string; other: string }>
  /** What the wallet held, holds, or will hold. */
  balance: Record<
    'past' | 'now' | 'ahead',
    (p: { at: string; wallet: string; program: string; amount: Amount }) => string
  >
  parts: Record<'available' | 'pending' | 'held' | 'due', (amount: Amount) => string>
  ofThat: (parts: string) => string
  owed: (amount: Amount) => string
  /** Moments of a member's life, by the type of the activity that they are: as `came` says what points were given for. */
  moments: Record<Moment, string>
  /** Where a lot came from; `kind` is of the entry that opened it. */
  came: (p: { amount: Amount; source: SourceType; name: string; on: string }) => string
  moved: (p: { amount: Amount; on: string; reason: string }) => string
  givenAgain: (p: { amount: Amount; on: string; reason: string }) => string
  rule: (p: { name: string; version: number; why: string }) => string
  took: Record<Taking | 'other', (amount: Amount) => string>
  gave: Record<Giving | 'other', (amount: Amount) => string>
  /** Behind what was taken or given: when and why, if it was one entry; otherwise in how many. */
  once: (p: { on: string; reason: string }) => string
  severalTimes: (times: number) => string
  held: (p: { amount: Amount; until: string; reason: string }) => string
  /** What came free and is taken for a return that had found too little, as soon as it is booked. */
  sought: (amount: Amount) => string
  /** What is left of a lot, and what becomes of it; `until` null: for ever. */
  left: Record<'active' | 'expired', (p: { amount: Amount; until: string | null }) => string>
  pending: (p: { amount: Amount; from: string | null; until: string | null }) => string
  used: string
  more: string
}

/** By language. The first is what is said where a language is not known. */
export const TEXTS: ReadonlyMap<string, Texts> = new Map([
  ['en', en],
  ['de', de],
])
