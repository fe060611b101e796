import { ENTRIES } from './purchase.ts'
import { runLoad } from './load.ts'
import type { Load } from './requests.ts'
import { type Options, printRounds, printSettings, runRounds, type Variant } from './rounds.ts'
import { BENCH_KEY, freshCopy } from './seed.ts'
import { onStage, type Stage, withClient } from './stage.ts'
import { PROGRAM } from './population.ts'
import type { Running } from './laurel.ts'

const FILL_SECONDS = 5

/** What members redeem: all of it costs a point, of the tens that a purchase gave them. */
const REWARDS = {
  bare: { kind: 'experience', stock: undefined },
  stock: { kind: 'experience', stock: { total: 1_000_000_000 } },
  coupon: { kind: 'coupon', stock: undefined, value: { kind: 'amount', amount: 500 } },
} as const

/**
 * Single POST /v1/members/{member}/redemptions of members who have points, complete and durable, ÷ the baseline: of a reward without end,
 * of one whose stock is a row that all take from, and of a coupon, which makes a code and a voucher.
 */
export async function redeem(options: Options): Promise<void> {
  await onStage(async (stage) => {
    const database = await freshCopy(stage, ENTRIES)
    const api = await stage.start('api', database)
    await stage.start('worker', database)
    for (const [slug, reward] of Object.entries(REWARDS)) await make(api, { slug, ...reward })
    await printSettings(stage)
    await fill(stage, database, api, options.members)
    const most = options.connections.at(-1) ?? 256
    const variant = (connections: number, name: string, reward: keyof typeof REWARDS): Variant => {
      const load: Omit<Load, 'key' | 'members'> = { kind: 'redeem', member: 'external', batch: 1, reward }
      return { name: `${connections} connections, ${name}`, apis: [api], connections, load }
    }
    const variants = [
      ...options.connections.map((connections) => variant(connections, 'a reward', 'bare')),
      variant(most, 'of one stock', 'stock'),
      variant(most, 'a coupon', 'coupon'),
    ]
    printRounds(await runRounds(stage, options, variants), 'redemptions')
  })
}

/** Some coupons, and what PostgreSQL knows of tables that were empty, as it would a minute later by itself: plans go by it. */
async function fill(stage: Stage, database: string, api: Running, members: number): Promise<void> {
  const load = { kind: 'redeem', member: 'external', batch: 1, reward: 'coupon', members, key: BENCH_KEY } as const
  await runLoad({ ports: [api.port], connections: 64, warmUpSeconds: 1, seconds: FILL_SECONDS, load })
  await withClient(stage.url(database), (client) => client.query('analyze'))
}

async function make(api: Running, reward: { slug: string }): Promise<void> {
  const said = { program: PROGRAM, name: reward.slug, price: { points: 1 }, ...reward }
  const answer = await fetch(`http://127.0.0.1:${api.port}/v1/rewards`, {
    method: 'POST',
    headers: { authorization: `Bearer ${BENCH_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(said),
  })
  if (answer.status !== 201) throw new Error(`the reward "${reward.slug}": ${answer.status} ${await answer.text()}`)
}
