import { beforeAll, describe, expect, it } from 'vitest'
import { inTurn, twoGates } from '../tests/pair.ts'
import { NOW, openShop, type Shop } from '../tests/shop.ts'
import type { Ask } from './gate/asks.ts'
import type { Gate } from './gate/gate.ts'
import { verify } from './verify.ts'

/** Two processes to the database. */
let shop: Shop
let gates: [Gate, Gate]
let careless: [Gate, Gate]
const OCCURRED = NOW() - 3_600_000_000

beforeAll(async () => {
  shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  gates = twoGates(shop)
  careless = twoGates(shop, { unguarded: true })
})

const send = async (gate: Gate, ask: Ask) => {
  const { status, body } = await gate.submit(shop.space, ask)
  return { status, body: JSON.parse(body) }
}
const sale = (externalId: string) => ({
  program: 'coffee',
  externalId,
  occurredAt: OCCURRED,
  currency: 'GBP',
  items: [{ sku: 'beans', quantity: 10, amount: 1000 }],
})
const keep = (gate: Gate, name: string) => send(gate, { verb: 'keep', ...sale(name) })
const claim = (gate: Gate, name: string, member: string) =>
  send(gate, { verb: 'purchase', claims: true, member: `external:${member}`, ...sale(name) })
const wrong = async () => (await verify(shop.pool, shop.space)).wrong
const given = async (name: string) =>
  Number(
    (
      await shop.sql(
        `select coalesce(sum(e.points), 0) as n from entries e join purchases p on p.member_id = e.member_id and p.purchase_id = e.source_id
          where p.external_id = $1`,
        [name],
      )
    )[0]?.n,
  )

async function claimedByFifty(pair: [Gate, Gate], name: string) {
  expect((await keep(pair[0], name)).status).toBe(201)
  return await inTurn(pair, 50, (gate, i) => claim(gate, name, `${name}-member-${i}`))
}

describe('an unclaimed purchase', () => {
  it('that fifty members claim at once is claimed by one', async () => {
    for (let round = 0; round < 5; round++) {
      const answers = await claimedByFifty(gates, `one-${round}`)
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
      expect(answers.filter(({ body }) => body.code === 'purchase_claimed')).toHaveLength(49)
      expect(await given(`one-${round}`)).toBe(10)
    }
    expect(await wrong()).toBeUndefined()
  })

  it('that one member claims fifty times is claimed once, and every answer is the same purchase', async () => {
    await keep(gates[0], 'same')
    const answers = await inTurn(gates, 50, (gate) => claim(gate, 'same', 'eager'))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([...Array(49).fill(200), 201])
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(await given('same')).toBe(10)
  })

  it('that is kept, claimed and returned from all at once is whole in the end', async () => {
    for (let round = 0; round < 10; round++) {
      const name = `mix-${round}`
      const answers = await Promise.all([
        keep(gates[0], name),
        ...Array.from({ length: 6 }, (_, i) =>
          send(gates[i % 2] as Gate, {
            verb: 'return',
            program: 'coffee',
            externalId: `${name}-${i}`,
            occurredAt: OCCURRED,
            purchase: `external:${name}`,
            items: [{ sku: 'beans', quantity: 2 }],
          }),
        ),
        send(gates[1], { verb: 'purchase', member: `external:${name}`, ...sale(name) }),
      ])
      const returned = answers.slice(1, 7).filter(({ status }) => status === 201).length
      const codes = answers.map(({ status, body }) => body.code ?? status)
      expect(codes.filter((code) => ![200, 201, 'purchase_unknown', 'return_exceeds_purchase'].includes(code))).toEqual(
        [],
      )
      const { body } = await send(gates[0], { verb: 'purchase', member: `external:${name}`, ...sale(name) })
      expect(body.wallets[0].available).toBe(10 - 2 * Math.min(5, returned))
    }
    expect(await wrong()).toBeUndefined()
  })

  it.each([true, false])(
    'that is claimed and brought back in one list (kept before: %s) takes its own points only',
    async (first) => {
      for (let round = 0; round < 5; round++) {
        const [name, member] = [`list-${first}-${round}`, `external:rich-${first}-${round}`]
        const before = {
          verb: 'purchase' as const,
          member,
          ...sale(`${name}-before`),
          items: [{ sku: 'cake', quantity: 1, amount: 700 }],
        }
        await send(gates[0], before)
        if (first) await keep(gates[0], name)
        const [claimed, back] = await Promise.all([
          send(gates[0], { verb: 'purchase', claims: true, member, ...sale(name) }),
          send(gates[0], {
            verb: 'return',
            program: 'coffee',
            externalId: `${name}-back`,
            occurredAt: OCCURRED,
            purchase: `external:${name}`,
            items: 'all',
          }),
          keep(gates[0], name),
        ])
        if (first) expect([claimed.body.points, back.body.points]).toEqual([10, 10])
        const lots = await shop.sql(
          `select e.points, l.remaining from entries e join purchases p on p.purchase_id = e.source_id left join lots l on l.member_id = e.member_id and l.seq = e.seq
          where p.external_id in ($1, $2) and e.kind = 1 order by e.seq`,
          [`${name}-before`, name],
        )
        expect(lots[0]).toEqual({ points: '7', remaining: null })
        if (first) expect(lots[1]).toEqual({ points: '10', remaining: '0' })
      }
      expect(await wrong()).toBeUndefined()
    },
  )

  it('control: without the guards several members have it, and verify says so', async () => {
    let doubled = false
    for (let round = 0; round < 20 && !doubled; round++) {
      await claimedByFifty(careless, `lost-${round}`)
      doubled = (await given(`lost-${round}`)) > 10
    }
    expect(doubled).toBe(true)
    expect((await wrong())?.what).toMatch(/does not lead to it/)
  })
})
