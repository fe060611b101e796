import type { Tx } from './db.ts'

/**
 * Raises the space's config version and says the new one: first in every change of programs and rules. Its row stays
 * locked until the end, so that changes of configuration happen one after another, in the order of their versions.
 */
export async function nextConfigVersion(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ version: number }>(
    'update spaces set config_version = config_version + 1 where space_id = $1 returning config_version as version',
    [tx.space],
  )
  if (!row) throw new Error(`there is no space ${tx.space}`)
  return row.version
}

/**
 * Nobody else brings codes into the space until the transaction ends: a code of a pool and one of a voucher are in different tables, and
 * must not be the same.
 */
export async function holdCodes(tx: Tx): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('laurel.codes'), $1)", [tx.space], 'codes-hold')
}
