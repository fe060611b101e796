import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import { alteredBatch } from '../base/outbox.ts'

const AT_ONCE = 500

/**
 * Positions without gaps, as many events a batch as it says, the ones that were told, and each member's in a sequence of its own: how
 * many there are, and the first thing that is wrong.
 */
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
  if (altered !== undefined) return { events, what: `outbox: batch ${altered} is not what was told` }
  const uneven = await findUntold(db)
  if (uneven === undefined) return { events }
  const { member, says, told } = uneven
  return {
    events,
    what: `events of member ${encodeId('mem', member)}: ${says} by its state, ${told} were told, from 1 on`,
  }
}

/** A member whose events are not numbered from 1 on without gaps, or more or fewer than its state says. */
async function findUntold(db: Db): Promise<{ member: Uuid; says: number; told: number } | undefined> {
  const [row] = await db.query<{ member: Uuid; says: number; told: number }>(
    `with told as (
       select (e.value ->> 1)::uuid as member_id, count(*) as events, max((e.value ->> 2)::int) as last, sum((e.value ->> 2)::bigint) as total
         from outbox o cross join json_array_elements(o.events::json) e
        where o.space_id = $1 and e.value ->> 1 is not null group by 1
     ) select coalesce(s.member_id, t.member_id) as member, coalesce(s.event_seq, 0) as says, coalesce(t.events, 0)::int as told
         from (select * from member_states where space_id = $1) s full join told t using (member_id)
        where coalesce(s.event_seq, 0) <> coalesce(t.events, 0) or t.last <> t.events or t.total <> t.events * (t.events + 1) / 2
        limit 1`,
    [db.space],
  )
  return row
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
