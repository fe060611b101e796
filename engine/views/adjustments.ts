import type { AdjustmentAnswer, AdjustmentStatus } from '@laurel/contract/adjustments'
import { decodeId, type Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { type Adjustment, STATUS } from '../adjustments/adjustments.rules.ts'
import { listAdjustments, loadAdjustments } from '../adjustments/adjustments.sql.ts'
import type { Db } from '../base/db.ts'
import type { StoredEvent } from '../base/outbox.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'
import { adjustmentAnswer } from '../gate/answers.ts'
import { currentConfiguration } from './current.ts'

/** Where a list begins: no UUID of ours is as late. */
const LAST_ID: Uuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** The adjustment that is named by its id (adj_…). Refusals: adjustment_unknown. */
export async function adjustmentRow(db: Db, ref: string): Promise<Adjustment> {
  const id = decodeId('adj', ref)
  const [row] = id === undefined ? [] : await loadAdjustments(db, [id])
  if (!row) throw new Refused('adjustment_unknown', `there is no adjustment "${ref}"`)
  return row
}

/** Refusals: adjustment_unknown. */
export async function readAdjustment(db: Db, known: Configurations, ref: string): Promise<AdjustmentAnswer> {
  const row = await adjustmentRow(db, ref)
  return adjustmentAnswer(await currentConfiguration(db, known), row)
}

/** Newest first; of one status or one member where that is told. Refusals: invalid_cursor. */
export async function pageAdjustments(
  db: Db,
  known: Configurations,
  filter: { status?: AdjustmentStatus | undefined; member?: Uuid | undefined },
  page: PageAsk,
): Promise<Page<AdjustmentAnswer>> {
  const before = page.after === undefined ? LAST_ID : decodeId('adj', page.after)
  if (before === undefined) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of adjustments')
  const status = filter.status === undefined ? null : STATUS[filter.status]
  const configuration = await currentConfiguration(db, known)
  const rows = await listAdjustments(db, before, { status, member: filter.member ?? null }, page.limit + 1)
  return pageOf(
    rows,
    page.limit,
    (row) => adjustmentAnswer(configuration, row),
    (shown) => shown.id,
  )
}

/** The adjustments that events tell of, by id. */
export async function adjustmentsOf(db: Db, events: readonly StoredEvent[]): Promise<Map<unknown, Adjustment>> {
  const told = events.filter(({ type }) => type.startsWith('adjustment.'))
  const rows = await loadAdjustments(
    db,
    told.map(({ data }) => data.adjustment as Uuid),
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** As it was told: what was asked, and what was decided where that is what the event tells. */
export function adjustmentData(configuration: Configuration, row: Adjustment, { type }: StoredEvent): unknown {
  const { id, program, wallet, points, reason, code, decision, entry } = adjustmentAnswer(configuration, row)
  const asked = { adjustment: id, program, wallet, points, reason, code }
  if (type === 'adjustment.requested') return asked
  return type === 'adjustment.approved' ? { ...asked, decision, entry } : { ...asked, decision }
}
