import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'

/** All but those who left, or live on as another. */
const LIVE = "status in ('active', 'suspended')"

export async function countMembers(db: Db): Promise<number> {
  const [row] = await db.query<{ members: number }>(
    `select count(*) as members from members where space_id = $1 and ${LIVE}`,
    [db.space],
  )
  return row?.members ?? 0
}

const PARTS = 65_536

/**
 * All members, or about as many of them as are wanted, by what their ids hash to: as good as by lot, and the same ones each time. In
 * the order of that hash.
 */
export async function selectSome(db: Db, total: number, wanted: number): Promise<Uuid[]> {
  const below = total <= wanted ? PARTS : Math.max(1, Math.ceil((wanted / total) * PARTS))
  const rows = await db.query<{ member: Uuid }>(
    `select member_id as member from members
      where space_id = $1 and ${LIVE} and (uuid_hash(member_id) & ${PARTS - 1}) < $2
      order by uuid_hash(member_id) & ${PARTS - 1}, member_id`,
    [db.space, below],
  )
  return rows.map(({ member }) => member)
}
