import type { HoldStatus, HoldView } from '@laurel/contract/holds'
import { decodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { memberNamed } from '../base/names.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import type { Configurations } from '../earning/configuration.ts'
import { holdView } from '../gate/holds.ts'
import { holdIdKey } from '../gate/names.ts'
import { HOLD_STATUS } from '../ledger/books.ts'
import { loadHolds, loadHoldsPage } from '../ledger/holds.sql.ts'
import { existingMember } from '../members/members.ts'
import { currentConfiguration } from './current.ts'

/** A hold, named by its id, as it is now. Refusals: hold_unknown. */
export async function getHold(db: Db, known: Configurations, ref: string, now: Instant): Promise<HoldView> {
  const { member, hold } = await whoseHold(db, ref)
  const [configuration, [found]] = await Promise.all([
    currentConfiguration(db, known),
    loadHolds(db, [{ member, id: hold }]),
  ])
  if (!found) throw new Refused('hold_unknown', `there is no hold "${ref}"`)
  return holdView(configuration, found, now)
}

/** The member whose hold it is: its id leads there by name. Refusals: hold_unknown. */
export async function whoseHold(db: Db, ref: string): Promise<{ member: Uuid; hold: Uuid }> {
  const hold = decodeId('hld', ref)
  const member = hold && (await memberNamed(db, holdIdKey(hold)))
  if (!member) throw new Refused('hold_unknown', `there is no hold "${ref}"`)
  return { member, hold }
}

/** Newest first. Refusals: member_unknown, invalid_cursor. */
export async function listHolds(
  db: Db,
  known: Configurations,
  member: string,
  filter: { status?: HoldStatus | undefined },
  page: PageAsk,
  now: Instant,
): Promise<Page<HoldView>> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const before = page.after === undefined ? LAST_ID : decodeId('hld', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of holds')
  const status = filter.status === undefined ? null : HOLD_STATUS[filter.status]
  const rows = await loadHoldsPage(db, id, { before, limit: page.limit + 1, status, now })
  return pageOf(
    rows,
    page.limit,
    (row) => holdView(configuration, row, now),
    (hold) => hold.id,
  )
}

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
