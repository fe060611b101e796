import { hash } from 'node:crypto'
import type { Uuid } from '@laurel/contract/ids'
import type { Entry, MemberState } from './books.ts'

/**
 * A member's entries form a chain in booking order: each hash covers the one before and all of the entry that is
 * never erased; texts that may hold personal data are covered through `digest`. SQL can compute the same:
 * sha256(convert_to(encode(previous, 'hex') || '|' || …, 'UTF8')), instants as microseconds, absent values empty.
 */
export function link(previous: string, e: Omit<Entry, 'hash'>): string {
  return hash(
    'sha256',
    `${previous}|${e.seq}|${e.walletId}|${e.kind}|${e.from}|${e.to}|${e.ruleVersionId ?? ''}|` +
      `${e.reverses ?? ''}|${e.points}|${e.balance}|${e.occurredAt}|${e.bookedAt}|${e.activatesAt ?? ''}|` +
      `${e.expiresAt ?? ''}|${e.source}|${e.digest}|${e.actor ?? ''}`,
    'hex',
  )
}

/** Where a member's chain begins: 64 hexadecimal digits, as all of its links. */
export function genesis(member: Uuid): string {
  return hash('sha256', member, 'hex')
}

/** The books of someone who just joined. */
export function newState(member: Uuid): MemberState {
  return {
    member,
    status: 1,
    version: 0,
    entrySeq: 0,
    eventSeq: 0,
    chain: genesis(member),
    wallets: [],
    dueAt: 0,
    told: 0,
    mergedInto: null,
  }
}
