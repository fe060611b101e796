import { it } from 'vitest'
import { openShop } from '../../tests/shop.ts'
import { configurations } from '../earning/configuration.ts'
import { withBound } from '../base/db.ts'
import { createWalletReader } from './wallets.ts'
it('bench', async () => {
  const shop = await openShop()
  await shop.rule('per_amount', { points: 1, per: 100 })
  const bought = await Promise.all(Array.from({ length: 2000 }, (_, i) => shop.buy(`b-${i}`, `external:b-${i}`, 100)))
  const ids = bought.map((b) => b.body.member as string)
  const reader = createWalletReader(shop.pool, configurations())
  const run = async (label: string, read: (id: string) => Promise<unknown>, conc: number) => {
    let n = 0
    const end = performance.now() + 4000
    const cpu = process.cpuUsage()
    const t = performance.now()
    await Promise.all(Array.from({ length: conc }, async () => { while (performance.now() < end) { await read(ids[n++ % 2000] as string) } }))
    const c = process.cpuUsage(cpu)
    console.log(label, conc, Math.round(n / (performance.now() - t) * 1000), '/s', ((c.user + c.system) / n).toFixed(1), 'us node CPU each')
  }
  const { decodeId } = await import('@laurel/contract/ids')
  const single = (id: string) => withBound(shop.pool, shop.space, (db) => db.query('select wallets from member_states where member_id = $1 and space_id = $2', [decodeId('mem', id), shop.space], 'one'))
  for (let k = 0; k < 2; k++) for (const conc of [1, 64, 256]) {
    await run('gathered', (id) => reader.read(shop.space, id), conc)
    await run('single  ', single, conc)
  }
}, 90_000)
