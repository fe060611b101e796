import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { PurchaseView } from '@laurel/contract/purchases'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { parseRef } from '../base/refs.ts'
import { type Configuration, type Configurations, program, programById } from '../earning/configuration.ts'
import { purchaseText } from '../gate/answers.ts'
import { existingMember } from '../members/members.ts'
import { loadFamily } from '../members/merges.sql.ts'
import { amountReturned, type Purchase } from '../purchases/purchases.rules.ts'
import { KEYS_OF_MEMBERS, PURCHASE_COLUMNS, type PurchaseRow, toPurchase } from '../purchases/purchases.sql.ts'
import { currentConfiguration } from './current.ts'
import { findUnclaimed, unclaimedView } from './unclaimed.ts'

/** The purchase that is named by `pur_…` or `external:…`, claimed or not. Refusals: purchase_unknown. */
export async function getPurchase(db: Db, known: Configurations, ref: string): Promise<PurchaseView> {
  const [configuration, row] = await Promise.all([currentConfiguration(db, known), selectPurchase(db, ref)])
  if (row) return purchaseView(configuration, toPurchase(row))
  const unclaimed = await findUnclaimed(db, ref)
  if (!unclaimed) throw new Refused('purchase_unknown', `there is no purchase "${ref}"`)
  return unclaimedView(configuration, unclaimed)
}

/** As it is stored; undefined for what is none, or has no member. */
export async function selectPurchase(db: Db, ref: string): Promise<PurchaseRow | undefined> {
  const named = parseRef('pur', ref)
  if (!named) return undefined
  const [row] =
    'id' in named
      ? await db.query<PurchaseRow>(
          `select ${PURCHASE_COLUMNS} from purchases where space_id = $1 and purchase_id = $2`,
          [db.space, named.id],
          'purchase-by-id',
        )
      : await db.query<PurchaseRow>(
          `select ${PURCHASE_COLUMNS} from purchases
          where space_id = $1 and (member_id, purchase_id) = (select n.member_id, n.object_id from lookups n where n.space_id = $1 and n.key = $2)`,
          [db.space, keyOf('purchase', named.external)],
          'purchase-by-name',
        )
  return row
}

/** A member's purchases, with those of whoever was merged into it, newest recorded first. Refusals: member_unknown, program_unknown, invalid_cursor. */
export async function listPurchases(
  db: Db,
  known: Configurations,
  member: string,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<PurchaseView>> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const after = page.after === undefined ? LAST_ID : decodeId('pur', page.after)
  if (after === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of purchases')
  const rows = await db.query<PurchaseRow>(
    `select ${PURCHASE_COLUMNS} from (${KEYS_OF_MEMBERS}) as k join purchases using (member_id, purchase_id)
      where space_id = $2 and purchase_id < $3 and ($4::int is null or program_id = $4)
      order by purchase_id desc limit $5`,
    [await loadFamily(db, id), db.space, after, ours?.programId ?? null, page.limit + 1],
    'purchases-list',
  )
  return pageOf(
    rows,
    page.limit,
    (row) => purchaseView(configuration, toPurchase(row)),
    (purchase) => purchase.id,
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** What was answered when it was recorded, and what of it came back since, a line. */
function purchaseView(configuration: Configuration, purchase: Purchase): PurchaseView {
  const ours = programById(configuration, purchase.programId)
  if (!ours) throw new Error(`program ${purchase.programId} is not in the configuration`)
  const answer = JSON.parse(`${purchaseText(configuration, ours, purchase)}}`) as PurchaseView
  const returned = (purchase.returned?.units ?? []).flatMap((quantity, i) => {
    const item = purchase.items[i]
    return item && quantity > 0
      ? [{ line: item.line, quantity, amount: amountReturned(item.amount, quantity, item.quantity) }]
      : []
  })
  return { ...answer, returned }
}
