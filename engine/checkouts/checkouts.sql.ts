import type { Uuid } from '@laurel/contract/ids'
import { instants, int2s, int4s, texts, unnested, uuids } from '../base/arrays.ts'
import { type Db, type Statement, statement } from '../base/db.ts'
import { type Digested, isAltered, microseconds, rowDigest } from '../base/row-digests.ts'
import type { Checkout, Said, Sums } from './checkouts.rules.ts'

type Row = Omit<Checkout, 'said' | 'sums'> & { said: string; sums: string }
const COLUMNS = `c.member_id as member, c.checkout_id as id, c.program_id as "programId", c.status, c.digest,
  c.external_id as "externalId", c.reserved_at as "reservedAt", c.deadline, c.settled_at as "settledAt", c.hold_id as hold,
  c.purchase_id as purchase, c.said, c.sums`

function toCheckout(row: Row): Checkout {
  return { ...row, said: JSON.parse(row.said) as Said, sums: JSON.parse(row.sums) as Sums }
}

/** These checkouts, whatever became of them. */
export async function loadCheckouts(db: Db, keys: readonly { member: Uuid; id: Uuid }[]): Promise<Checkout[]> {
  if (keys.length === 0) return []
  const rows = await db.query<Row>(
    `select ${COLUMNS} from unnest($1::uuid[], $2::uuid[]) as k(member_id, checkout_id)
       join checkouts c using (member_id, checkout_id) where c.space_id = $3`,
    [uuids(keys, (k) => k.member), uuids(keys, (k) => k.id), db.space],
    'checkouts-load',
  )
  return rows.map(toCheckout)
}

/** The checkout that a name (of its id or its external id) leads to. */
export async function checkoutNamed(db: Db, key: Uuid): Promise<Checkout | undefined> {
  const [row] = await db.query<Row>(
    `select ${COLUMNS} from lookups n join checkouts c on c.member_id = n.member_id and c.checkout_id = n.object_id
      where n.space_id = $1 and n.key = $2 and c.space_id = $1`,
    [db.space, key],
    'checkout-named',
  )
  return row && toCheckout(row)
}

/** All checkouts of some members: for verify. */
export async function loadCheckoutsOf(db: Db, members: readonly Uuid[]): Promise<Checkout[]> {
  const rows = await db.query<Row>(
    `select ${COLUMNS} from checkouts c where c.member_id = any ($1::uuid[]) and c.space_id = $2 order by c.checkout_id`,
    [uuids(members, (m) => m), db.space],
    'checkouts-of-members',
  )
  return rows.map(toCheckout)
}

/** What a row says, in the order of its digest. */
const CHECKOUT: Digested<Checkout> = {
  table: 'checkouts',
  columns: [
    ['member_id', (r) => r.member],
    ['checkout_id', (r) => r.id],
    ['program_id', (r) => r.programId],
    ['status', (r) => r.status],
    ['digest', (r) => r.digest],
    ['external_id', (r) => r.externalId],
    [microseconds('reserved_at'), (r) => r.reservedAt],
    [microseconds('deadline'), (r) => r.deadline],
    [microseconds('settled_at'), (r) => r.settledAt],
    ['hold_id', (r) => r.hold],
    ['purchase_id', (r) => r.purchase],
    ['said', (r) => JSON.stringify(r.said)],
    ['sums', (r) => JSON.stringify(r.sums)],
  ],
}

/** Checkouts of the members that were not written as they are: for verify. */
export async function alteredCheckouts(db: Db, members: readonly Uuid[]): Promise<{ member: Uuid; id: Uuid }[]> {
  return await db.query(
    `select member_id as member, checkout_id as id from checkouts
      where member_id = any ($1::uuid[]) and space_id = $2 and ${isAltered(CHECKOUT)} order by checkout_id limit 1`,
    [uuids(members, (m) => m), db.space],
  )
}

/** New checkouts, and what became of them. Whoever writes them has the members' versions. */
export function saveCheckouts(space: number, rows: readonly Checkout[]): Statement[] {
  if (rows.length === 0) return []
  return statement(
    `insert into checkouts (space_id, member_id, checkout_id, program_id, status, digest, external_id, reserved_at, deadline,
                            settled_at, hold_id, purchase_id, said, sums, row_digest)
     select $1, ${unnested('uuid uuid int smallint uuid text timestamptz timestamptz timestamptz uuid uuid text text uuid')}
     on conflict (member_id, checkout_id) do update
       set status = excluded.status, settled_at = excluded.settled_at, purchase_id = excluded.purchase_id,
           row_digest = excluded.row_digest`,
    [
      space,
      uuids(rows, (r) => r.member),
      uuids(rows, (r) => r.id),
      int4s(rows, (r) => r.programId),
      int2s(rows, (r) => r.status),
      uuids(rows, (r) => r.digest),
      texts(rows, (r) => r.externalId),
      instants(rows, (r) => r.reservedAt),
      instants(rows, (r) => r.deadline),
      instants(rows, (r) => r.settledAt),
      uuids(rows, (r) => r.hold),
      uuids(rows, (r) => r.purchase),
      texts(rows, (r) => JSON.stringify(r.said)),
      texts(rows, (r) => JSON.stringify(r.sums)),
      uuids(rows, (r) => rowDigest(CHECKOUT, space, r)),
    ],
    'checkouts-save',
  )
}
