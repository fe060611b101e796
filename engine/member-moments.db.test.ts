import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { encodeId } from '@laurel/contract/ids'
import { parseInstant } from '@laurel/contract/instants'
import { door, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { changeMember } from './change-member.ts'
import { pauseProgram, resumeProgram } from './configure-programs.ts'
import { turnRule } from './configure-rules.ts'
import { configurations } from './earning/configuration.ts'
import { enroll } from './enroll.ts'
import { createGate, type Gate } from './gate/gate.ts'
import { lookAtLives } from './member-moments.ts'
import { verify } from './verify.ts'

/** The program is in London; each test has members of its own, and goes on in time where the one before ended. */
let shop: Shop
let known: ReturnType<typeof configurations>
const at = (text: string) => (parseInstant(text) as number) / 1000
const setClock = (text: string) => vi.setSystemTime(at(text))

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: at('2026-01-15T12:00:00Z') })
  shop = await openShop()
  known = configurations()
})
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() }))
afterEach(async () => {
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
afterAll(async () => {
  vi.useRealTimers()
  await shop.gate.close()
})

const on = (moment: string, more: object = {}) => ({ on: { event: 'member', moment, ...more } }) as object
const join = (externalId: string, more: object = {}) =>
  withTx(shop.pool, shop.space, (tx) => enroll(tx, { externalId, ...more }, door()))
const change = (externalId: string, patch: object) =>
  withTx(shop.pool, shop.space, (tx) => changeMember(tx, `external:${externalId}`, patch, undefined, door()))

/** Until nobody is due. */
async function look(gate: Pick<Gate, 'submit'> = shop.gate): Promise<number> {
  let looked = 0
  for (let last = -1; last !== 0; looked += last)
    last = await lookAtLives({ pool: shop.pool, gate, known }, shop.space, Date.now() * 1000, 100)
  return looked
}

/** What was recorded of a member, oldest first: type, which, points, local day. */
async function told(externalId: string) {
  const rows = await shop.sql(
    `select a.type, a.external_id as which, a.awards::json -> 0 ->> 1 as points,
            to_char(a.occurred_at at time zone 'Europe/London', 'YYYY-MM-DD HH24:MI') as at
       from activities a join members m using (member_id) where m.external_id = $1 order by a.recorded_at, a.activity_id`,
    [externalId],
  )
  return rows.map(({ type, which, points, at: local }) => [type, which, Number(points), local])
}

test('where no rule listens to moments, nobody is looked at', async () => {
  await join('early', { birthDate: '1990-01-20' })
  expect(await look()).toBe(0)
  const [row] = await shop.sql("select life_at is not null as waits from members where external_id = 'early'")
  expect(row).toEqual({ waits: true })
})

test('a rule gives for moments after it was published, not for those that were there before', async () => {
  setClock('2026-01-21T08:00:00Z')
  await shop.rule('fixed', { points: 50 }, on('birthday'))
  await shop.rule('fixed', { points: 5 }, on('joined'))
  await shop.rule('fixed', { points: 7 }, on('profile_complete'))
  await shop.rule('fixed', { points: 100 }, on('anniversary'))
  expect(await look()).toBe(1)
  expect(await told('early')).toEqual([]) // both were before
})

test('joining and a complete profile give at once, once', async () => {
  await join('ada', { name: 'Ada', birthDate: '1985-06-10' })
  await look()
  expect(await told('ada')).toEqual([['member.joined', '1', 5, '2026-01-21 08:00']])
  setClock('2026-01-22T09:00:00Z')
  await change('ada', { email: 'ada@example.com' })
  await look()
  await change('ada', { email: null })
  await look()
  setClock('2026-01-23T09:00:00Z')
  await change('ada', { email: 'ada@example.com' })
  await look()
  expect((await told('ada')).slice(1)).toEqual([['member.profile_complete', '1', 7, '2026-01-22 09:00']])
})

test('a birthday across the change of the clocks is on its local day, and a late job gives it once, dated on the day', async () => {
  setClock('2026-06-09T22:59:00Z') // 23:59 in London
  await look()
  expect(await told('ada')).toHaveLength(2)
  setClock('2026-06-13T11:00:00Z') // nobody looked for three days
  await look()
  await look()
  await change('ada', { phone: '+441632960961' }) // has her looked at once more
  await look()
  expect((await told('ada')).slice(2)).toEqual([['member.birthday', '2026', 50, '2026-06-10 00:00']])
})

test('a birthday on 29 February is on the 28th; joining day comes back as an anniversary', async () => {
  await join('leap', { birthDate: '2000-02-29' })
  await look()
  setClock('2027-02-28T00:00:00Z')
  await look()
  expect((await told('leap')).slice(1)).toEqual([['member.birthday', '2027', 50, '2027-02-28 00:00']])
  expect((await told('ada')).slice(3)).toEqual([]) // her anniversary was in January: longer than a month ago
  setClock('2027-06-20T00:00:00Z')
  await look()
  expect((await told('leap')).slice(2)).toEqual([['member.anniversary', '1', 100, '2027-06-13 00:00']])
})

test('nobody has moments who is suspended, and a program that is paused has them when it goes on', async () => {
  await join('sue', { birthDate: '1990-07-01' })
  await join('pat', { birthDate: '1990-07-01' })
  await look()
  await change('sue', { status: 'suspended' })
  await withTx(shop.pool, shop.space, (tx) => pauseProgram(tx, 'coffee', door()))
  setClock('2027-07-01T09:00:00Z')
  await look()
  expect(await told('pat')).toHaveLength(1)
  await withTx(shop.pool, shop.space, (tx) => resumeProgram(tx, 'coffee', door()))
  setClock('2027-07-01T10:00:00Z')
  await look()
  expect((await told('pat')).slice(1)).toEqual([['member.birthday', '2027', 50, '2027-07-01 00:00']])
  expect(await told('sue')).toHaveLength(1)
})

test('what comes while a rule is paused is not made up for, though it goes on the next day', async () => {
  await join('pam', { birthDate: '1990-07-05' })
  await look()
  const [{ id } = {}] = await shop.sql(
    `select r.id from earning_rules r join earning_rule_versions v using (rule_id)
      where v.terms -> 'on' ->> 'moment' = 'birthday'`,
  )
  const turn = (way: 'pause' | 'resume') =>
    withTx(shop.pool, shop.space, (tx) => turnRule(tx, encodeId('rul', String(id)), way, door()))
  setClock('2027-07-04T12:00:00Z')
  await turn('pause')
  setClock('2027-07-06T12:00:00Z')
  await look()
  await turn('resume')
  await change('pam', { name: 'Pam' }) // has her looked at
  await look()
  expect(await told('pam')).toHaveLength(1)
})

describe('a silence', () => {
  test('is told once, and again after the next one', async () => {
    setClock('2027-08-01T12:00:00Z')
    await join('quinn')
    await look()
    await shop.rule('fixed', { points: 30 }, on('inactive', { days: 30 }))
    await shop.buy('q1', 'external:quinn', 500, { occurredAt: at('2027-08-01T12:00:00Z') * 1000 })
    await look()
    setClock('2027-08-31T11:59:59Z')
    await look()
    expect(await told('quinn')).toHaveLength(1)
    setClock('2027-08-31T12:00:00Z')
    await look()
    await look()
    setClock('2027-09-20T12:00:00Z') // the bonus for being away is no activity
    await look()
    expect((await told('quinn')).slice(1).map(([type, , points]) => [type, points])).toEqual([['member.inactive', 30]])
    await shop.buy('q2', 'external:quinn', 500, { occurredAt: at('2027-09-20T12:00:00Z') * 1000 })
    setClock('2027-10-20T12:00:00Z')
    await look()
    expect((await told('quinn')).slice(2).map(([type, , points]) => [type, points])).toEqual([['member.inactive', 30]])
  })

  test('of another length has everyone looked at once more, some at a time', async () => {
    await join('rob')
    await look()
    setClock('2027-10-21T12:00:00Z')
    await shop.rule('fixed', { points: 10 }, on('inactive', { days: 10 }))
    await look()
    await look()
    expect(await shop.sql('select plan, next_plan from moment_plans')).toEqual([{ plan: '10,30', next_plan: null }])
    setClock('2027-11-01T12:00:00Z')
    await look()
    expect((await told('rob')).slice(1).map(([type, which]) => [type, String(which).split(':')[0]])).toEqual([
      ['member.inactive', '10'],
    ])
  })
})

describe('two workers at the same time, one of them dying in between', () => {
  const members = Array.from({ length: 40 }, (_, i) => `twin-${i}`)
  const dies: Pick<Gate, 'submit'> = { submit: () => Promise.reject(new Error('died')) }

  async function race(gates: Pick<Gate, 'submit'>[]): Promise<void> {
    await Promise.allSettled(gates.map((gate) => look(gate)))
  }

  test('give every moment once', async () => {
    setClock('2027-11-20T12:00:00Z')
    for (const member of members) await join(member, { birthDate: '1990-11-25' })
    await look()
    setClock('2027-11-25T06:00:00Z')
    await shop.sql("update members set life_at = $1 where external_id like 'twin-%'", ['2027-11-25T06:00:00Z'])
    await lookAtLives({ pool: shop.pool, gate: dies, known }, shop.space, Date.now() * 1000, 15)
    const gates = [createGate({ pool: shop.pool }), createGate({ pool: shop.pool })]
    await race(gates)
    setClock('2027-11-25T06:02:00Z') // what met a fault is tried again a minute later
    await race(gates)
    for (const gate of gates) await gate.close()
    for (const member of members)
      expect((await told(member)).slice(1)).toEqual([['member.birthday', '2027', 50, '2027-11-25 00:00']])
  })
})

test('control: without the guards of its name and its member, two workers give twice', async () => {
  await shop.sql('alter table entries drop constraint entries_pkey')
  const gates = [createGate({ pool: shop.pool, unguarded: true }), createGate({ pool: shop.pool, unguarded: true })]
  let doubled = 0
  for (let year = 2028; year < 2048 && doubled === 0; year++) {
    setClock(`${year}-11-25T06:00:00Z`)
    await Promise.allSettled(gates.map((gate) => look(gate)))
    const rows = await shop.sql('select from activities group by member_id, type, external_id having count(*) > 1')
    doubled = rows.length
  }
  for (const gate of gates) await gate.close()
  expect(doubled).toBeGreaterThan(0)
  for (const table of [
    'lot_uses',
    'lots',
    'entries',
    'counters',
    'activities',
    'purchases',
    'members',
    'member_states',
    'outbox',
  ]) {
    await shop.sql(`delete from ${table}`)
  }
  await shop.sql('update spaces set last_position = 0')
})
