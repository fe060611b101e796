import type { Db } from '../base/db.ts'
import { alteredBatch } from '../base/outbox.ts'

const AT_ONCE = 500

/** Positions without gaps, as many events a batch as it says, and the ones that were told: how many there are, and the first thing that is wrong. */
export async function auditOutbox(db: Db): Promise<{ events: number; what?: string }> {
  const [row] = await db.query<{ events: number; last: number; gap: number | null; miscounted: number | null }>(
    `with numbered as (
       select first_position, count, batch, lead(first_position) over (order by first_position) as following,
              json_array_length(events::json) as held
         from outbox where space_id = $1 and first_position is not null
     ) select coalesce(sum(count), 0)::bigint as events, (select last_position from spaces where space_id = $1) as last,
              min(first_position) filter (where first_position + count <> coalesce(following, first_position + count)) as gap,
              min(batch) filter (where held <> count) as miscounted
         from numbered`,
    [db.space],
  )
  const events = row?.events ?? 0
  if (row && row.gap !== null) return { events, what: `outbox: positions do not go on after the batch at ${row.gap}` }
  if (row && row.miscounted !== null)
    return { events, what: `outbox: batch ${row.miscounted} does not hold the events it counts` }
  if (row && events !== row.last)
    return { events, what: `outbox: ${events} events are numbered, the last position is ${row.last}` }
  const altered = await alteredBatch(db)
  return altered === undefined ? { events } : { events, what: `outbox: batch ${altered} is not what was told` }
}

/** The first batch that is no list of events. */
export async function findUnreadBatch(db: Db): Promise<string | undefined> {
  for (let after = 0; ; ) {
    const rows = await db.query<{ batch: number; events: string }>(
      'select batch, events from outbox where space_id = $1 and batch > $2 order by batch limit $3',
      [db.space, after, AT_ONCE],
    )
    const bad = rows.find(({ events }) => !isList(events))
    if (bad) return `outbox: batch ${bad.batch} cannot be read`
    if (rows.length < AT_ONCE) return undefined
    after = rows.at(-1)?.batch ?? after
  }
}

function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text))
  } catch {
    return false
  }
}
