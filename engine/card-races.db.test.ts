import { beforeAll, expect, test } from 'vitest'
import { decodeId } from '../contract/ids.ts'
import { atOnce, openPair, type Pair, send } from '../tests/pair.ts'
import { verify } from './verify.ts'

let careful: Pair
/** Versions are not compared. */
let careless: Pair

beforeAll(async () => {
  careful = await openPair(false)
  careless = await openPair(true)
})

/** How many cards somebody has who asks for one twenty times at once. */
async function issued(pair: Pair): Promise<{ codes: number; made: number }> {
  const { body } = await pair.shop.buy('first', 'external:ann', 100)
  const told = await atOnce(pair, 20, () => ({ verb: 'card', member: body.member }))
  expect(told.filter(({ status }) => status >= 400)).toEqual([])
  return {
    codes: new Set(told.map((one) => one.body.code)).size,
    made: told.filter(({ status }) => status === 201).length,
  }
}

test('a member who asks for a card from twenty tills at once has one', async () => {
  expect(await issued(careful)).toEqual({ codes: 1, made: 1 })
  expect((await issued(careless)).codes).toBeGreaterThan(1)
})

test('a lost card that is replaced at twenty tills at once has one successor', async () => {
  const { shop, gates } = careful
  const { body } = await shop.buy('second', 'external:bob', 100)
  const old = (await send(gates[0], shop, { verb: 'card', member: body.member })).body
  const told = await atOnce(careful, 20, () => ({
    verb: 'card',
    member: body.member,
    replaces: old.code,
    reason: 'lost',
  }))
  expect(told.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(new Set(told.map((one) => one.body.code)).size).toBe(1)
})

test('two members who want the same printed card: one has it', async () => {
  const { shop } = careful
  const members = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => (await shop.buy(`p-${i}`, `external:p${i}`, 100)).body.member as string),
  )
  const told = await atOnce(careful, 10, (i) => ({ verb: 'card', member: members[i] ?? '', code: 'PRINTED-1' }))
  expect(told.map((one) => one.body.code).filter((code) => code === 'PRINTED1')).toHaveLength(1)
  expect(told.filter((one) => one.body.code === 'already_exists')).toHaveLength(9)
})

test('purchases that race with the block of their card are recorded before it, or not at all', async () => {
  const { shop, gates } = careful
  const { body } = await shop.buy('third', 'external:eve', 10_000)
  const card = (await send(gates[0], shop, { verb: 'card', member: body.member })).body
  const id = decodeId('crd', card.id) ?? ''
  const told = await atOnce(careful, 40, (i) =>
    i === 20
      ? { verb: 'blockCard', member: body.member, card: id, reason: 'stolen' }
      : {
          verb: 'spend',
          member: `card:${card.code}`,
          wallet: 'points',
          points: 1,
          reason: `s-${i}`,
          externalId: `s-${i}`,
        },
  )
  const blockedAt = Date.parse(told[20]?.body.blockedAt)
  const spends = told.filter((_, i) => i !== 20)
  expect(new Set(spends.map((one) => one.body.code))).not.toContain('card_unknown')
  for (const { status, body: said } of spends) {
    if (status === 201) expect(Date.parse(said.at)).toBeLessThanOrEqual(blockedAt)
    else expect(said.code).toBe('card_blocked')
  }
  const late = await send(gates[1], shop, {
    verb: 'spend',
    member: `card:${card.code}`,
    wallet: 'points',
    points: 1,
    reason: 'late',
  })
  expect(late.body.code).toBe('card_blocked')
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
