import { describe, expect, it } from 'vitest'
import type { MemberBody, MemberPatch } from '@laurel/contract/members'
import { Refused } from '@laurel/contract/refusals'
import { NOW, door, openShop } from '../tests/shop.ts'
import { withRead, withTx } from './base/db.ts'
import { changeMember } from './change-member.ts'
import { enroll } from './enroll.ts'
import { genesis } from './ledger/chain.rules.ts'
import { getMember, listMembers } from './members/members.ts'

const shop = await openShop()
const { pool, space } = shop
const join = (body: MemberBody) => withTx(pool, space, (tx) => enroll(tx, body, door()))
const change = (ref: string, patch: MemberPatch, revision?: number) =>
  withTx(pool, space, (tx) => changeMember(tx, ref, patch, revision, door()))
const find = (filter: Parameters<typeof listMembers>[1]) =>
  withRead(pool, space, (db) => listMembers(db, filter, { limit: 25 }))

/** The codes of what was refused, and how many were not. */
async function settle(asks: Promise<unknown>[]): Promise<{ done: number; codes: string[] }> {
  const results = await Promise.allSettled(asks)
  const codes = results.flatMap((result) => {
    if (result.status === 'fulfilled') return []
    if (!(result.reason instanceof Refused)) throw result.reason
    return [result.reason.refusal.code]
  })
  return { done: results.length - codes.length, codes: [...new Set(codes)] }
}
const names = async (id: string) =>
  Number(
    (
      await shop.sql(
        `select count(*) from lookups n join members m using (member_id)
  where m.external_id = $1 or m.name = $1`,
        [id],
      )
    )[0]?.count,
  )

describe('enrolling', () => {
  it('makes a profile, empty books, names and an event', async () => {
    const { created, member, revision } = await join({
      externalId: 'ann',
      email: 'Ann@Example.com',
      phone: '+44 1632 960001',
      name: 'Ann',
      birthDate: '1985-12-10',
      locale: 'en-gb',
      attributes: { cup: { size: 'L' } },
    })
    expect({ created, revision }).toEqual({ created: true, revision: 1 })
    expect(member).toMatchObject({
      externalId: 'ann',
      email: 'Ann@Example.com',
      phone: '+441632960001',
      name: 'Ann',
      birthDate: '1985-12-10',
      locale: 'en-GB',
      attributes: { cup: { size: 'L' } },
      status: 'active',
    })
    expect((await withRead(pool, space, (db) => getMember(db, 'external:ann'))).member).toEqual(member)
    expect((await withRead(pool, space, (db) => getMember(db, member.id))).member).toEqual(member)
    const [state] = await shop.sql(`select s.*, encode(s.chain, 'hex') as chain, m.member_id::text as id
      from member_states s join members m using (member_id) where m.external_id = 'ann'`)
    expect(state).toMatchObject({
      status: 1,
      version: 0,
      entry_seq: 0,
      event_seq: 1,
      wallets: '[]',
      chain: genesis(String(state?.id)),
    })
    const [outbox] = await shop.sql('select events from outbox order by batch desc limit 1')
    expect(JSON.parse(String(outbox?.events))).toEqual([['member.enrolled', state?.id, 1, {}]])
  })

  it('50 at once with one e-mail make one member, whatever the case; no name of the others stays taken', async () => {
    const asks = Array.from({ length: 50 }, (_, i) =>
      join({
        externalId: `race-${i}`,
        phone: `+44163296${1000 + i}`,
        name: 'racer',
        email: i % 2 ? ' Race@example.com' : 'RACE@EXAMPLE.COM',
      }),
    )
    expect(await settle(asks)).toEqual({ done: 1, codes: ['already_exists'] })
    expect(await names('racer')).toBe(3)
    const [count] = await shop.sql(
      'select count(*) from lookups where member_id not in (select member_id from members)',
    )
    expect(count).toEqual({ count: '0' })
  })

  it('50 at once with one external id and content are one, and all read the same member', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => join({ externalId: 'same', email: 'same@example.com' })),
    )
    expect(answers.filter(({ created }) => created)).toHaveLength(1)
    expect(new Set(answers.map(({ member }) => member.id)).size).toBe(1)
  })

  it('crossed wants end in refusals, never in a deadlock', async () => {
    const asks = Array.from({ length: 40 }, (_, i) =>
      join(
        i % 2
          ? { email: 'cross-a@example.com', phone: '+441632960777' }
          : { phone: '+441632960777', email: `cross-${i}@example.com` },
      ),
    )
    expect(await settle(asks)).toEqual({ done: 1, codes: ['already_exists'] })
  })

  it('says which field is taken, and tells other content of one external id', async () => {
    await join({ externalId: 'dot', email: 'dot@example.com', phone: '+441632960444' })
    await expect(join({ externalId: 'dot' })).rejects.toMatchObject({ refusal: { code: 'external_id_conflict' } })
    await expect(join({ externalId: 'dot', email: 'DOT@example.com', phone: '+441632960444' })).resolves.toMatchObject({
      created: false,
    })
    await expect(join({ email: 'dot@example.com' })).rejects.toMatchObject({
      refusal: { code: 'already_exists', errors: [{ pointer: '/email' }] },
    })
    await expect(
      join({ externalId: 'dot-2', email: 'dot@example.com', phone: '+44-1632-960-444' }),
    ).rejects.toMatchObject({
      refusal: { code: 'already_exists', errors: [{ pointer: '/email' }, { pointer: '/phone' }] },
    })
  })

  it('meets a first purchase of the same external id in one member', async () => {
    const [bought, ...joined] = await Promise.all([
      shop.buy('meet-1', 'external:meet', 500),
      ...Array.from({ length: 5 }, () => join({ externalId: 'meet' })),
    ])
    expect(bought?.status).toBe(201)
    expect(new Set([bought?.body.member, ...joined.map(({ member }) => member.id)]).size).toBe(1)
  })

  it('keeps what PostgreSQL and JSON could spoil, to the letter', async () => {
    const name = '\u202eнет 𝕏 "\\"\u2028 \ufeff\' or 1=1 --'
    const attributes = { 'Ω\u0001': [0.1, -5, 9_007_199_254_740_991, '', { deep: [[[]]] }], '': false }
    const { member } = await join({ name, attributes })
    expect((await withRead(pool, space, (db) => getMember(db, member.id))).member).toMatchObject({ name, attributes })
  })

  it('knows nothing of another space', async () => {
    const { member } = await join({ externalId: 'mine', email: 'mine@example.com' })
    await expect(withRead(pool, shop.otherSpace, (db) => getMember(db, member.id))).rejects.toMatchObject({
      refusal: { code: 'member_unknown' },
    })
    await expect(withRead(pool, shop.otherSpace, (db) => getMember(db, 'external:mine'))).rejects.toMatchObject({
      refusal: { code: 'member_unknown' },
    })
    await expect(
      withTx(pool, shop.otherSpace, (tx) => changeMember(tx, member.id, { name: 'x' }, undefined, door())),
    ).rejects.toMatchObject({ refusal: { code: 'member_unknown' } })
    await expect(
      withTx(pool, shop.otherSpace, (tx) => enroll(tx, { externalId: 'mine', email: 'mine@example.com' }, door())),
    ).resolves.toMatchObject({ created: true })
  })
})

describe('changing', () => {
  it('moves names: the old are free, the new are taken, and a refused change moves none', async () => {
    const { member } = await join({ externalId: 'eve', email: 'eve@example.com', phone: '+441632960555' })
    await join({ externalId: 'fay', email: 'fay@example.com' })
    await expect(change(member.id, { phone: '+441632960556', email: 'FAY@example.com' })).rejects.toMatchObject({
      refusal: { code: 'already_exists', errors: [{ pointer: '/email' }] },
    })
    expect((await find({ phone: '+44 1632 960 555' })).data.map((m) => m.id)).toEqual([member.id])
    expect((await find({ phone: '+441632960556' })).data).toEqual([])

    await change('external:eve', { externalId: 'eve-2', email: 'Eve@Example.com', phone: null })
    await expect(join({ externalId: 'eve', phone: '+441632960555' })).resolves.toMatchObject({ created: true })
    expect((await find({ email: ' EVE@example.com', externalId: 'eve-2' })).data).toMatchObject([
      { id: member.id, email: 'Eve@Example.com', phone: null },
    ])
    expect((await find({ email: 'eve@example.com', externalId: 'eve' })).data).toEqual([])
    expect((await find({ phone: 'nonsense' })).data).toEqual([])
  })

  it('with the revision that all of 20 have read succeeds once, and loses nothing', async () => {
    const { member, revision } = await join({ externalId: 'gus', attributes: { n: 0 } })
    const guarded = await settle(
      Array.from({ length: 20 }, (_, i) => change(member.id, { attributes: { n: i + 1 } }, revision)),
    )
    expect(guarded).toEqual({ done: 1, codes: ['etag_mismatch'] })
    const unguarded = await Promise.all(
      Array.from({ length: 20 }, (_, i) => change(member.id, { attributes: { [`k${i}`]: i } })),
    )
    expect(new Set(unguarded.map((r) => r.revision))).toEqual(new Set(Array.from({ length: 20 }, (_, i) => i + 3)))
    const after = await withRead(pool, space, (db) => getMember(db, member.id))
    expect(Object.keys(after.member.attributes)).toHaveLength(21)
    const [told] = await shop.sql(
      `select event_seq from member_states s join members m using (member_id) where external_id = 'gus'`,
    )
    expect(told).toEqual({ event_seq: 22 })
  })

  it('tells which fields changed and nothing that they say', async () => {
    const { member } = await join({ externalId: 'hal', email: 'hal@example.com' })
    await change(member.id, { email: 'hal.secret@example.com', name: 'Hal Secret', status: 'suspended' })
    const [outbox] = await shop.sql('select events from outbox order by batch desc limit 1')
    expect(String(outbox?.events)).not.toMatch(/secret/i)
    expect(JSON.parse(String(outbox?.events))).toMatchObject([
      ['member.changed', expect.any(String), 2, { fields: ['email', 'name', 'status'], status: 'suspended' }],
    ])
    const batches = await shop.sql('select count(*) from outbox')
    await change(member.id, { name: 'Hal Secret' })
    expect(await shop.sql('select count(*) from outbox')).toEqual(batches)
  })

  it('of status holds from the next purchase, closed for good', async () => {
    await shop.buy('ivy-1', 'external:ivy', 100)
    await change('external:ivy', { status: 'suspended' })
    expect(await shop.buy('ivy-2', 'external:ivy', 100)).toMatchObject({
      status: 409,
      body: { code: 'member_suspended' },
    })
    await change('external:ivy', { status: 'active' })
    expect(await shop.buy('ivy-2', 'external:ivy', 100)).toMatchObject({ status: 201 })
    await change('external:ivy', { status: 'closed' })
    expect(await shop.buy('ivy-3', 'external:ivy', 100)).toMatchObject({
      status: 409,
      body: { code: 'member_suspended' },
    })
    await expect(change('external:ivy', { status: 'active' })).rejects.toMatchObject({
      refusal: { code: 'member_suspended' },
    })
  })

  it('racing with purchases of the same member loses neither, and numbers their events without a gap', async () => {
    await shop.rule('per_amount', { points: 1, per: 100 })
    await shop.buy('jon-0', 'external:jon', 100)
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        i % 2
          ? shop.buy(`jon-${i}`, 'external:jon', 100).then((r) => r.status)
          : change('external:jon', { attributes: { [`k${i}`]: NOW() } }).then(() => 200),
      ),
    )
    expect(results.filter((status) => status >= 400)).toEqual([])
    const rows =
      await shop.sql(`select e.event ->> 2 as sequence from outbox, json_array_elements(events::json) as e(event)
      where e.event ->> 1 = (select member_id::text from members where external_id = 'jon') order by (e.event ->> 2)::int`)
    expect(rows.map((row) => Number(row.sequence))).toEqual(Array.from({ length: rows.length }, (_, i) => i + 1))
    expect(rows.length).toBe(1 + 21 + 21 + 20)
  })
})
