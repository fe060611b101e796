import { expect, test } from 'vitest'
import type { Uuid } from '../../contract/ids.ts'
import { growsWithRows, Reads } from '../../tests/reads.ts'
import { newId } from '../base/ids.ts'
import { aConfiguration, aVersion } from '../earning/rules-for-tests.ts'
import { ACCOUNTS, KINDS } from '../ledger/accounts.ts'
import type { Entry, MemberState } from '../ledger/books.ts'
import { type Counter, SCOPES } from '../limits/counters.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { auditLimits } from './audit.limits.rules.ts'

const CONFIGURATION = aConfiguration([aVersion(1, 'fixed', { points: 1 })])

/** So many purchases; `elder`: with whom each of them was counted. */
function bought(many: number, member: Uuid, elder?: Uuid): { entries: Entry[]; purchases: Purchase[] } {
  const purchases = Array.from({ length: many }, (_, i) => {
    const frozen = {
      zone: 'UTC',
      number: i + 1 + (elder ? many : 0),
      ...(elder ? { elders: [[elder, many, many]] } : {}),
    }
    return {
      member,
      id: newId(),
      programId: 1,
      configVersion: 1,
      occurredAt: i,
      recordedAt: i,
      frozen: JSON.stringify(frozen),
    }
  })
  const entries = purchases.map(({ id }, i) => ({
    seq: i + 1,
    walletId: 1,
    kind: KINDS.earn.code,
    from: 0,
    to: ACCOUNTS.member,
    points: 1,
    balance: i + 1,
    source: id,
    occurredAt: i,
    bookedAt: i,
    ruleVersionId: 1001,
    digest: '',
    hash: '',
  }))
  return { entries: entries as unknown as Entry[], purchases: purchases as unknown as Purchase[] }
}

/** How often purchases and entries are read to verify two who are one, of whom each bought so many times. */
function readsToVerify(many: number): number {
  const [member, elder] = [newId(), newId()]
  const reads = new Reads()
  const own = bought(many, member, elder)
  const theirs = bought(many, elder)
  const watched = { entries: reads.of(theirs.entries), purchases: reads.of(theirs.purchases) }
  const family = new Map([[elder, { ...watched, activities: [], heirs: new Set([member]) }]])
  const scope = { member, scope: SCOPES.purchases, scopeId: 1, period: 'all' }
  const counters: Counter[] = [{ ...scope, times: many, points: 0, lastAt: many, keptAt: many }]
  const books = { state: { member } as MemberState, entries: reads.of(own.entries) }
  const purchases = reads.of(own.purchases)
  const audit = () => auditLimits(CONFIGURATION, books, purchases, counters, [], family)
  expect(reads.during(audit)).toBeUndefined()
  const { times } = reads
  const more = own.purchases.map((p) => ({
    ...p,
    frozen: p.frozen?.replace(`${many},${many}`, `${many},${many + 1}`) ?? null,
  }))
  expect(auditLimits(CONFIGURATION, books, more, counters, [], family)).toMatch('counted with more than there were')
  return times
}

test('two who are one and bought thousands of times are verified without reading all for each', () => {
  growsWithRows(300, readsToVerify)
})
