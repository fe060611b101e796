import { beforeAll, expect, test } from 'vitest'
import { decodeId, encodeEntryId } from '../contract/ids.ts'
import { atOnce, openPair, type Pair, send } from '../tests/pair.ts'
import type { Shop } from '../tests/shop.ts'
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

/** The member's spends that were saved after an event, whatever the clocks of those who saved them say. */
async function savedAfter(shop: Shop, member: string, type: string): Promise<Set<string>> {
  const own = decodeId('mem', member) ?? ''
  const rows = await shop.sql(
    `with told as (
       select e ->> 0 as type, (e ->> 2)::int as n, e -> 3 as data from outbox, json_array_elements(events::json) e where e ->> 1 = $1
     ) select (data ->> 'entry')::int as entry from told
        where type = 'points.spent' and n > (select n from told where type = $2)`,
    [own, type],
  )
  return new Set(rows.map(({ entry }) => encodeEntryId(own, Number(entry))))
}

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
  expect(told[20]?.body.status).toBe('blocked')
  const spends = told.filter((_, i) => i !== 20)
  expect(new Set(spends.map((one) => one.body.code))).not.toContain('card_unknown')
  const blockedAt = Date.parse(told[20]?.body.blockedAt)
  const after = await savedAfter(shop, body.member, 'card.blocked')
  for (const { status, body: said } of spends) {
    if (status !== 201) expect(said.code).toBe('card_blocked')
    else if (after.has(said.entries[0])) expect(Date.parse(said.at)).toBeLessThan(blockedAt) // it came before, to the other process
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
