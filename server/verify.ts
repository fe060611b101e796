import { openPool } from '@laurel/engine/base/db'
import { type Report, verify } from '@laurel/engine/verify'
import type { Config } from './config.ts'
import { withDatabase } from './database.ts'
import type { Mode } from './keys.ts'
import { checkSchema } from './migrate.ts'
import { withOwner } from './owner.ts'

type Space = { space: number; mode: Mode; wallets: Map<number, string> }

/** Verifies the spaces one after another; says what was looked at. Exits with 1 at the first thing that is wrong. */
export async function runVerify(config: Config, { mode }: { mode?: Mode }): Promise<void> {
  await withDatabase(config, 'laurel verify', async (databaseUrl) => {
    await checkSchema(databaseUrl)
    const pool = openPool(databaseUrl, { max: 2, applicationName: 'laurel-verify', queryTimeoutMs: 0 })
    try {
      for (const space of await spacesOf(databaseUrl)) {
        if (mode && space.mode !== mode) continue
        const began = performance.now()
        const report = await verify(pool, space.space, progress)
        if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
        console.log(told(space, report, (performance.now() - began) / 1000))
        if (!report.wrong) continue
        process.exitCode = 1
        return
      }
    } finally {
      await pool.end()
    }
  })
}

async function spacesOf(databaseUrl: string): Promise<Space[]> {
  return withOwner(databaseUrl, 'laurel-verify', async (owner) => {
    const { rows } = await owner.query<{ space: number; mode: Mode; wallets: [number, string][] }>(
      `select space_id as space, mode, coalesce((
           select json_agg(json_build_array(wallet_id, p.slug || '/' || w.slug) order by wallet_id)
             from wallets w join programs p using (program_id) where w.space_id = s.space_id), '[]') as wallets
         from spaces s order by space_id`,
    )
    return rows.map((row) => ({ ...row, wallets: new Map(row.wallets) }))
  })
}

function progress({ members, entries }: Report): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${members.toLocaleString('en')} members, ${entries.toLocaleString('en')} entries …`)
}

function told({ mode, wallets }: Space, report: Report, seconds: number): string {
  if (report.wrong)
    return `${mode}: WRONG${report.wrong.member ? ` at ${report.wrong.member}` : ''}: ${report.wrong.what}`
  const n = (count: number) => count.toLocaleString('en')
  const lines = [
    `${mode}: everything agrees: ${n(report.members)} members, ${n(report.purchases)} purchases, ${n(report.returns)} returns, ${report.activities > 0 ? `${n(report.activities)} activities, ` : ''}${report.unclaimed > 0 ? `${n(report.unclaimed)} unclaimed, ` : ''}` +
      `${n(report.entries)} entries, ${n(report.lotUses)} lot uses, ${n(report.events)} events (${seconds.toFixed(1)} s)`,
  ]
  for (const [wallet, sums] of report.wallets) {
    lines.push(
      `  ${wallets.get(wallet) ?? wallet}: issued ${n(sums.issued)}, reversed ${n(sums.reversed)}, redeemed ${n(sums.redeemed)}, ` +
        `expired ${n(sums.expired)}, adjusted ${n(sums.adjusted)}${sums.moved === 0 ? '' : `, moved ${n(sums.moved)}`}; balances ${n(sums.balances)}`,
    )
  }
  return lines.join('\n')
}
