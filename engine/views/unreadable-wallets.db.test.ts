import { expect, test } from 'vitest'
import { openShop } from '../../tests/shop.ts'
import { configurations } from '../earning/configuration.ts'
import { createWalletReader } from './wallets.ts'

test('wallets that cannot be read fail who asks for them, and nobody who asks at the same time', async () => {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  const names = Array.from({ length: 20 }, (_, i) => `external:m${i}`)
  const bought = await Promise.all(names.map((name, i) => shop.buy(`p-${i}`, name, 100 * (i + 1))))
  const ids = bought.map(({ body }) => body.member as string)
  const spoil = async (name: string, wallets: string) =>
    await shop.sql(
      `update member_states set wallets = $2 where member_id = (select member_id from members where external_id = $1)`,
      [name, wallets],
    )
  const reader = createWalletReader(shop.pool, configurations())
  const read = async (refs: readonly string[]) => {
    const told = await Promise.allSettled(refs.map((ref) => reader.read(shop.space, ref)))
    return told.map((one) => (one.status === 'fulfilled' ? one.value?.[0]?.available : 'failed'))
  }
  const due = names.map((_, i) => (i === 7 || i === 8 ? 'failed' : i + 1))
  await spoil('m7', '[{"w":1,')
  await spoil('m8', '{"w":1}')
  expect(await read(names)).toEqual(due)
  expect(await read(ids)).toEqual(due)
  expect(await read([...names, ...ids])).toEqual([...due, ...due])
})
