import { openPool } from '@laurel/engine/base/db'
import { createGate } from '@laurel/engine/gate/gate'
import { passDue } from '@laurel/engine/pass-time'
import { ENTRIES } from './purchase.ts'
import { type Options, printSettings } from './rounds.ts'
import { freshCopy } from './seed.ts'
import { onStage, type Stage, withClient } from './stage.ts'
import { printTable, ratio, whole } from './table.ts'

const AT_ONCE = 500

/**
 * All members' points expire by inactivity, half a year ago, and nobody has looked since: what the worker does when it
 * comes back. Wallets slide here, so that the seed's entries stay as they are.
 */
const OVERDUE = `
  update wallets set settings = '{"expiry":{"kind":"sliding","period":"P30D"}}';
  update spaces set config_version = config_version + 1 where space_id = 1;
  update member_states set due_at = '2026-03-01', told_at = '2026-01-01',
         wallets = replace(wallets, '"o":1}', '"o":1,"t":1767225600000000}')
   where entry_seq > 0`

/** The least that expiring could be: one statement for as many rows, and no entry, event, hash or lot. */
const BARE = `
  update member_states set version = version + 1, due_at = null
   where member_id = any (select member_id from member_states where space_id = 1 and due_at is not null order by due_at limit ${AT_ONCE})`

/** Lots that expire a second, each with its entry and event, ÷ a bare set-based update of as many rows. */
export async function expire(options: Options): Promise<void> {
  await onStage(async (stage) => {
    await printSettings(stage)
    const rows: string[][] = []
    for (let round = 0; round < options.rounds; round++) {
      const bare = await bareRate(stage)
      const { rate, late } = await expireRate(stage)
      rows.push([`round ${round + 1}`, whole(bare), whole(rate), ratio(rate / bare), String(late)])
    }
    printTable(['lots a second', 'bare update', 'expired', '÷ bare', 'left over'], rows)
  })
}

async function overdue(stage: Stage): Promise<string> {
  const database = await freshCopy(stage, ENTRIES)
  await withClient(stage.url(database), async (client) => {
    await client.query(OVERDUE)
    await client.query('vacuum analyze member_states')
  })
  return database
}

async function bareRate(stage: Stage): Promise<number> {
  const database = await overdue(stage)
  return await withClient(stage.url(database), async (client) => {
    let updated = 0
    const began = performance.now()
    for (;;) {
      const { rowCount } = await client.query({ name: 'bare', text: BARE })
      updated += rowCount ?? 0
      if ((rowCount ?? 0) < AT_ONCE) return (updated * 1000) / (performance.now() - began)
    }
  })
}

/** As the worker does it: through a gate, in lists. */
async function expireRate(stage: Stage): Promise<{ rate: number; late: number }> {
  const database = await overdue(stage)
  const pool = openPool(stage.url(database), { max: 3 })
  const gate = createGate({ pool })
  try {
    let passed = 0
    const began = performance.now()
    for (let last = AT_ONCE; last === AT_ONCE; passed += last) last = await passDue(pool, gate, 1, AT_ONCE)
    const seconds = (performance.now() - began) / 1000
    const late = await withClient(stage.url(database), async (client) => {
      const { rows } = await client.query<{ late: number }>(
        'select count(*)::int as late from member_states where due_at <= now()',
      )
      return rows[0]?.late ?? 0
    })
    return { rate: passed / seconds, late }
  } finally {
    await gate.close()
    await pool.end()
  }
}
