import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { PurchaseView } from '@laurel/contract/purchases'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import { parseRef } from '../base/refs.ts'
import { type Configuration, type Configurations, program, programById } from '../earning/configuration.ts'
import { unclaimedText } from '../gate/answers.ts'
import type { Unclaimed } from '../unclaimed/unclaimed.rules.ts'
import { listUnclaimed, loadUnclaimed, selectUnclaimed } from '../unclaimed/unclaimed.sql.ts'
import { currentConfiguration } from './current.ts'

/** The purchase without a member that `pur_…` or `external:…` names, if there is one. */
export async function findUnclaimed(db: Db, ref: string): Promise<Unclaimed | undefined> {
  const named = parseRef('pur', ref)
  if (!named) return undefined
  return 'id' in named
    ? await selectUnclaimed(db, named.id)
    : (await loadUnclaimed(db, [keyOf('purchase', named.external)]))[0]
}

/** Newest recorded first. Refusals: program_unknown, invalid_cursor. */
export async function unclaimedPurchases(
  db: Db,
  known: Configurations,
  filter: { program?: string | undefined },
  page: PageAsk,
): Promise<Page<PurchaseView>> {
  const configuration = await currentConfiguration(db, known)
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const before = page.after === undefined ? LAST_ID : decodeId('pur', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of purchases')
  const rows = await listUnclaimed(db, before, ours?.programId ?? null, page.limit + 1)
  return pageOf(
    rows,
    page.limit,
    (row) => unclaimedView(configuration, row),
    (purchase) => purchase.id,
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** What was answered when it was recorded, and what of it came back since, a line. */
export function unclaimedView(configuration: Configuration, row: Unclaimed): PurchaseView {
  const ours = programById(configuration, row.programId)
  if (!ours) throw new Error(`program ${row.programId} is not in the configuration`)
  const view = JSON.parse(`${unclaimedText(ours, row)}}`) as PurchaseView
  const returned = new Map<string, { line: string; quantity: number; amount: number }>()
  for (const { line, quantity, amount } of row.returned?.returns.flatMap((one) => one.lines) ?? []) {
    const sum = returned.get(line)
    returned.set(line, { line, quantity: quantity + (sum?.quantity ?? 0), amount: amount + (sum?.amount ?? 0) })
  }
  return { ...view, returned: [...returned.values()] }
}
