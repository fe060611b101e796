import { beforeAll, describe, expect, it } from 'vitest'
import { decodeId } from '@laurel/contract/ids'
import type { WalletPatch } from '@laurel/contract/wallets'
import { inTurn, twoGates } from '../tests/pair.ts'
import { door, NOW, openShop, type Shop } from '../tests/shop.ts'
import { withTx } from './base/db.ts'
import { changeWallet } from './configure-wallets.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Two gates are two processes to the database; the careless two do not look whether what they read has moved. */
const [ALICE, BOB] = ['019aa000-0000-7000-8000-00000000000a', '019aa000-0000-7000-8000-00000000000b']
let shop: Shop
let gates: [Gate, Gate]
let careless: [Gate, Gate]

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('fixed', { points: 10 })
  await set({ adjustmentLimit: 100 })
  gates = twoGates(shop)
  careless = twoGates(shop, { unguarded: true })
})

const set = (patch: WalletPatch) =>
  withTx(shop.pool, shop.space, (tx) =>
    changeWallet(tx, { program: 'coffee', wallet: 'points' }, patch, undefined, door()),
  )
const send = async (gate: Gate, ask: Ask, actor = ALICE) => {
  const { status, body } = await gate.submit(shop.space, ask, { actor })
  return { status, body: JSON.parse(body) }
}
const give = (member: string, points: number, more: { code?: string } = {}) =>
  send(gates[0], { verb: 'adjust', member: `external:${member}`, wallet: 'points', points, reason: 'sorry', ...more })
const join = (member: string) => shop.buy(`join-${member}`, `external:${member}`, 100, { occurredAt: NOW() })
const deciding = (asked: { id: string; member: string }, way: 'approve' | 'reject'): Ask => ({
  verb: 'decide',
  member: asked.member,
  adjustment: decodeId('adj', asked.id) as string,
  way,
  reason: `to ${way}`,
})
const entriesOf = (asked: { id: string }) =>
  shop.sql('select seq, points::int from entries where source_id = $1', [decodeId('adj', asked.id)])
const rowOf = async (asked: { id: string }) =>
  (
    await shop.sql('select status, code, entry_seq from adjustments where adjustment_id = $1', [
      decodeId('adj', asked.id),
    ])
  )[0]
const available = async (member: string) => (await give(member, 1)).body.wallets[0].available - 1
const wrong = async () => (await verify(shop.pool, shop.space)).wrong

describe('an adjustment', () => {
  it('within the limit is booked at once, with its reason code', async () => {
    await join('ann')
    const told = await give('ann', 100, { code: 'goodwill' })
    expect(told).toMatchObject({ status: 201, body: { code: 'goodwill', wallets: [{ available: 110 }] } })
    expect(told.body).not.toHaveProperty('status')
    expect(await rowOf(told.body)).toEqual({ status: 1, code: 'goodwill', entry_seq: 2 })
  })

  it('above it changes nothing until another key approves it', async () => {
    await join('ben')
    const told = await give('ben', 101)
    expect(told).toMatchObject({ status: 202, body: { status: 'waiting', entries: [], wallets: [{ available: 10 }] } })
    expect(await entriesOf(told.body)).toEqual([])
    expect(await send(gates[0], deciding(told.body, 'approve'), ALICE)).toMatchObject({
      status: 403,
      body: { code: 'same_key' },
    })
    expect(await available('ben')).toBe(10)
    const approved = await send(gates[1], deciding(told.body, 'approve'), BOB)
    expect(approved).toMatchObject({ status: 200, body: { status: 'approved', points: 101, decision: 'to approve' } })
    expect(await entriesOf(told.body)).toEqual([{ seq: 3, points: 101 }])
    expect(await available('ben')).toBe(10 + 101 + 1)
    expect(await send(gates[0], deciding(told.body, 'approve'), BOB)).toEqual(approved)
    expect(await send(gates[0], deciding(told.body, 'reject'), BOB)).toMatchObject({
      body: { code: 'adjustment_decided' },
    })
    expect(await wrong()).toBeUndefined()
  })

  it('is decided by what is there when it is approved', async () => {
    await join('cat')
    await set({ adjustmentLimit: 5 })
    const told = await give('cat', -12)
    await set({ adjustmentLimit: 100 })
    expect(told.status).toBe(202)
    expect(await send(gates[0], deciding(told.body, 'approve'), BOB)).toMatchObject({
      status: 409,
      body: { code: 'insufficient_points' },
    })
    await give('cat', 3)
    expect(await send(gates[0], deciding(told.body, 'approve'), BOB)).toMatchObject({ body: { status: 'approved' } })
    expect(await available('cat')).toBe(1)
    expect(await wrong()).toBeUndefined()
  })

  it('that was rejected, by whoever asked for it too, never happens', async () => {
    await join('dan')
    const told = await give('dan', 500)
    expect(await send(gates[0], deciding(told.body, 'reject'), ALICE)).toMatchObject({ body: { status: 'rejected' } })
    expect(await send(gates[0], deciding(told.body, 'approve'), BOB)).toMatchObject({
      body: { code: 'adjustment_decided' },
    })
    expect([await available('dan'), await entriesOf(told.body)]).toEqual([10, []])
  })

  it('of a program that is paused is not booked, but may be rejected', async () => {
    await join('eve')
    const [one, two] = [await give('eve', 500), await give('eve', 500)]
    const turn = (status: string) =>
      shop.sql(`with v as (update spaces set config_version = config_version + 1) update programs set status = $1`, [
        status,
      ])
    await turn('paused')
    expect(await send(gates[0], deciding(one.body, 'approve'), BOB)).toMatchObject({ body: { code: 'program_paused' } })
    expect(await send(gates[0], deciding(two.body, 'reject'), BOB)).toMatchObject({ body: { status: 'rejected' } })
    await turn('active')
    expect(await send(gates[0], deciding(one.body, 'approve'), BOB)).toMatchObject({ body: { status: 'approved' } })
  })

  it('is told of, in order, to the member', async () => {
    const rows = await shop.sql('select events from outbox order by batch')
    const told = rows.flatMap((row) => JSON.parse(String(row.events)) as [string, string, number, object][])
    const kinds = told.map(([type]) => type).filter((type) => type.startsWith('adjustment.'))
    expect(new Set(kinds)).toEqual(new Set(['adjustment.requested', 'adjustment.approved', 'adjustment.rejected']))
    expect(kinds.filter((type) => type === 'adjustment.requested')).toHaveLength(5)
  })
})

describe('verify', () => {
  it.each([
    ['points = points + 1', 'its entry is not what was asked for', 600],
    ["reason = 'because'", 'its entry is not what was asked for', 5],
    [
      'status = 2, decided_at = null, entry_member = null, entry_seq = null',
      'it was booked, but nobody approved it',
      600,
    ],
  ])('names one that was tampered with: %s', async (change, what, points) => {
    await join(`tampered-${change}`)
    const { body } = await give(`tampered-${change}`, points)
    if (body.status === 'waiting') await send(gates[0], deciding(body, 'approve'), BOB)
    const [before] = await shop.sql('select * from adjustments where adjustment_id = $1', [decodeId('adj', body.id)])
    await shop.sql(`update adjustments set ${change} where adjustment_id = $1`, [decodeId('adj', body.id)])
    expect(await wrong()).toEqual({ what: `adjustment ${body.id}: ${what}` })
    await shop.sql(
      `update adjustments set points = $2, reason = $3, status = $4, decided_at = $5, entry_member = $6, entry_seq = $7
        where adjustment_id = $1`,
      [
        before?.adjustment_id,
        before?.points,
        before?.reason,
        before?.status,
        before?.decided_at,
        before?.entry_member,
        before?.entry_seq,
      ],
    )
    expect(await wrong()).toBeUndefined()
  })
})

describe('deciding at once', () => {
  it('twenty who approve book it once', async () => {
    await join('fay')
    for (let i = 0; i < 5; i++) {
      const told = await give('fay', 1000)
      const answers = await inTurn(gates, 20, (gate) => send(gate, deciding(told.body, 'approve'), BOB))
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
      expect(answers[0]?.body.status).toBe('approved')
      expect(await entriesOf(told.body)).toHaveLength(1)
    }
    expect(await available('fay')).toBe(5010)
    expect(await wrong()).toBeUndefined()
  })

  /** How many of an approval and a rejection at the same time were told that theirs holds. */
  async function bothWays(pair: [Gate, Gate], member: string): Promise<number> {
    const told = await give(member, 1000)
    const answers = await Promise.all(
      (['approve', 'reject'] as const).map((way, i) => send(pair[i] as Gate, deciding(told.body, way), BOB)),
    )
    return answers.filter(({ status }) => status === 200).length
  }

  it('one approves, one rejects: one of them holds', async () => {
    await join('gil')
    for (let i = 0; i < 10; i++) expect(await bothWays(gates, 'gil')).toBe(1)
    expect(await wrong()).toBeUndefined()
  })

  it('control: without the guards both are told that theirs holds, and verify finds it', async () => {
    await join('hal')
    let most = 1
    for (let i = 0; i < 50 && !(await wrong()); i++) most = Math.max(most, await bothWays(careless, 'hal'))
    expect(most).toBe(2)
    expect(await wrong()).toBeDefined()
  })
})
