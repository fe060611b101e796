import type { Db } from '../base/db.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'

/** The configuration of what this handle sees: rows of the same snapshot never name a rule that it does not know. */
export async function currentConfiguration(db: Db, known: Configurations): Promise<Configuration> {
  const [row] = await db.query<{ version: number }>(
    'select config_version as version from spaces where space_id = $1',
    [db.space],
    'view-config-version',
  )
  if (!row) throw new Error(`there is no space ${db.space}`)
  return await known.get(db, row.version)
}
