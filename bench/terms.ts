import { ENTRIES } from './purchase.ts'
import { type Options, printRounds, printSettings, runRounds, type Variant } from './rounds.ts'
import { freshCopy } from './seed.ts'
import { onStage, withClient } from './stage.ts'

/**
 * Points end a year later at the end of that month, and wait two weeks before; the rule that fires gives a member at most so much
 * a day (nobody reaches it, so that every answer stays as it was).
 */
const TERMS = `
  update wallets set settings = '{"expiry":{"kind":"rolling","period":"P1Y","roundUp":"month"},"pending":{"kind":"period","period":"P14D"}}';
  update earning_rule_versions set terms = '{"caps":[{"per":"day","points":1000000}]}' where kind = 'per_amount';
  update spaces set config_version = config_version + 1 where space_id = 1`

/** Single purchases where points pend and expire and a cap is counted, ÷ the same without, in the same run. */
export async function terms(options: Options): Promise<void> {
  await onStage(async (stage) => {
    const plain = await freshCopy(stage, ENTRIES)
    const timed = await freshCopy(stage, ENTRIES, 'bench_terms')
    await withClient(stage.url(timed), (client) => client.query(TERMS))
    const [one, other] = [await stage.start('api', plain), await stage.start('api', timed)]
    await stage.start('worker', timed)
    await printSettings(stage)
    const connections = options.connections.at(-1) ?? 256
    const variant = (name: string, api: typeof one): Variant => ({
      name: `${connections} connections, ${name}`,
      apis: [api],
      connections,
      load: { kind: 'purchase', member: 'external', batch: 1 },
    })
    const variants = [variant('without', one), variant('with pending, expiry and a daily cap', other)]
    printRounds(await runRounds(stage, options, variants, false), 'purchases', 'without')
  })
}
