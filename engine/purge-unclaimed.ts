import { DAY, type Instant } from '@laurel/contract/instants'
import { run, type Tx } from './base/db.ts'
import { freeNames } from './base/names.ts'
import { loadConfiguration } from './earning/configuration.ts'
import { returnKey } from './gate/names.ts'
import { lockOldest, removeUnclaimed } from './unclaimed/unclaimed.sql.ts'

/**
 * What happens to purchases that nobody has claimed in time: they go, and their names can be used again. At most `limit` of them,
 * oldest first; one that somebody is claiming right now is waited for, and stays if it was claimed. Says how many went.
 */
export async function purgeUnclaimed(tx: Tx, now: Instant, limit: number): Promise<number> {
  const { programs } = await loadConfiguration(tx)
  let purged = 0
  for (const { programId, claimDays } of programs) {
    if (claimDays === null || purged >= limit) continue
    const gone = await lockOldest(tx, programId, now - claimDays * DAY, limit - purged)
    if (gone.length === 0) continue
    const names = gone.flatMap(({ key, returned }) => [
      key,
      ...(returned?.returns ?? []).map(({ externalId }) => returnKey(externalId)),
    ])
    await run(tx, freeNames(tx.space, names.toSorted()))
    await removeUnclaimed(
      tx,
      gone.map(({ key }) => key),
    )
    purged += gone.length
  }
  return purged
}
