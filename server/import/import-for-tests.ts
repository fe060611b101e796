import { join } from 'node:path'
import { createGate } from '@laurel/engine/gate/gate'
import type { TestDatabase } from '../../tests/database.ts'
import { type ImportMap, readMap } from './map.ts'
import { refusedFile } from './refused.ts'
import { importPurchases, type ImportOptions } from './run.ts'
import type { Tally } from './tally.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/online-retail')
export const SAMPLE = join(EXAMPLE, 'sample.csv')
export const exampleMap = (): Promise<ImportMap> => readMap(join(EXAMPLE, 'map.json'))
export const SILENT = { show() {}, end() {} }

/** Imports into a test's database, through a gate of its own, as the command does. */
export async function importInto(
  { pool, space }: TestDatabase,
  path: string,
  more: Partial<ImportOptions> = {},
): Promise<Tally> {
  const gate = createGate({ pool })
  const refused = await refusedFile(`${path}.refused.csv`)
  try {
    const submit: ImportOptions['submit'] = (ask) => gate.submit(space, ask, {}, 'bulk')
    const options = { path, map: await exampleMap(), program: 'coffee', submit, refused, progress: SILENT }
    return await importPurchases({ ...options, ...more })
  } finally {
    await refused.close()
    await gate.close()
  }
}

/** External id → balance, of all members. */
export async function balancesOf({ sql }: TestDatabase): Promise<Record<string, number>> {
  const rows = await sql(`select external_id, wallets from members join member_states using (member_id) order by 1`)
  return Object.fromEntries(
    rows.map((row) => {
      const wallets = JSON.parse(row.wallets as string) as { b: number }[]
      return [row.external_id as string, wallets.reduce((sum, wallet) => sum + wallet.b, 0)]
    }),
  )
}

/** Everything that an import leaves behind, without what differs from run to run: our ids, hashes and booking times. */
export async function stateOf({ sql }: TestDatabase): Promise<Record<string, unknown>> {
  const tables = {
    members: `select external_id, s.status, entry_seq, version > 0 as used from members join member_states s using (member_id)`,
    purchases: `select p.external_id, m.external_id as member, occurred_at, total, items, awards, metadata,
                         regexp_replace(returned, '"(source|activatesAt)":("[^"]*"|[0-9]+),', '', 'g') as returned
                  from purchases p join members m using (member_id)`,
    returns: `select r.external_id, m.external_id as member, r.occurred_at, asked, unmatched,
                     (select string_agg(p.external_id, ',' order by p.external_id) from purchases p
                       where p.member_id = r.member_id and r.lines like '%' || p.purchase_id || '%') as of
                from returns r join members m using (member_id)`,
    entries: `select m.external_id as member, seq, kind, points, balance, e.occurred_at, reverses
                from entries e join members m using (member_id)`,
    lots: `select m.external_id as member, seq, remaining from lots join members m using (member_id)`,
    uses: `select m.external_id as member, seq, lot_seq, points from lot_uses join members m using (member_id)`,
  }
  const state: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(tables)) {
    const rows = await sql(text)
    state[name] = rows.map((row) => JSON.stringify(row)).sort()
  }
  return state
}
