import { expect, test } from 'vitest'
import type { Uuid } from '../../contract/ids.ts'
import { newId } from '../base/ids.ts'
import { aConfiguration, aVersion } from '../earning/rules-for-tests.ts'
import { ACCOUNTS, KINDS } from '../ledger/accounts.ts'
import type { Entry, MemberState } from '../ledger/books.ts'
import { type Counter, SCOPES } from '../limits/counters.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { auditLimits } from './audit.limits.rules.ts'

const MANY = 20_000
const CONFIGURATION = aConfiguration([aVersion(1, 'fixed', { points: 1 })])

/** As many purchases as in twenty years; `elder`: with whom each of them was counted. */
function bought(member: Uuid, elder?: Uuid): { entries: Entry[]; purchases: Purchase[] } {
  const purchases = Array.from({ length: MANY }, (_, i) => {
    const frozen = {
      zone: 'UTC',
      number: i + 1 + (elder ? MANY : 0),
      ...(elder ? { elders: [[elder, MANY, MANY]] } : {}),
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

test('two who are one and bought twenty thousand times are verified without reading all for each', () => {
  const [member, elder] = [newId(), newId()]
  const own = bought(member, elder)
  const family = new Map([[elder, { ...bought(elder), activities: [], heirs: new Set([member]) }]])
  const scope = { member, scope: SCOPES.purchases, scopeId: 1, period: 'all' }
  const counters: Counter[] = [{ ...scope, times: MANY, points: 0, lastAt: MANY, keptAt: MANY }]
  const books = { state: { member } as MemberState, entries: own.entries }
  const before = performance.now()
  expect(auditLimits(CONFIGURATION, books, own.purchases, counters, [], family)).toBeUndefined()
  expect(performance.now() - before).toBeLessThan(4_000)
  const more = own.purchases.map((p) => ({
    ...p,
    frozen: p.frozen?.replace(`${MANY},${MANY}`, `${MANY},${MANY + 1}`) ?? null,
  }))
  expect(auditLimits(CONFIGURATION, books, more, counters, [], family)).toMatch('counted with more than there were')
})
