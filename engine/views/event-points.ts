import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import type { StoredEvent } from '../base/outbox.ts'
import { programById } from '../earning/configuration.ts'
import { walletSlug } from '../gate/answers.ts'
import { KINDS } from '../ledger/accounts.ts'
import { type Hold, HOLD_STATUS } from '../ledger/books.ts'
import { entryAnswer } from './entries.ts'
import { entryKey, type Rows } from './event-rows.ts'

/** What an event of points tells: of an entry, of a hold, or of what a wallet will lose. */
export function pointsData(rows: Rows, event: StoredEvent): unknown {
  const { type, data } = event
  if (data.hold !== undefined) return holdData(rows, event)
  return type === 'points.will_expire' ? willExpireData(rows, event) : movedData(rows, event)
}

/** Told as what is gone. */
const GONE = new Set(['points.spent', 'points.reversed', 'points.cancelled', 'points.expired'])
/** Of a lot, whose end belongs to it. */
const OF_LOTS = new Set(['points.activated', 'points.extended', 'points.reinstated'])

/** Points are positive, but where a further return leaves more standing than the one before: that gives back. */
function movedData({ configuration, entries }: Rows, event: StoredEvent): unknown {
  const { type, data, member } = event
  const row = found(entries.get(entryKey(member, Number(data.entry))), event)
  const { id, program, wallet, points, balance, reason, source, rule, reverses } = entryAnswer(configuration, row)
  const told = data.points // of a lot that begins, or ends later: what of it is left then
  return {
    entry: id,
    program,
    wallet,
    points: typeof told === 'number' ? told : GONE.has(type) ? -points : points,
    balance,
    reason,
    source,
    ...(type === 'points.earned' && row.kind === KINDS.earn.code ? { rule } : {}),
    ...(OF_LOTS.has(type) ? { expiresAt: row.expiresAt === null ? null : formatInstant(row.expiresAt) } : {}),
    ...(type === 'points.extended' ? { activatesAt: beginning(row.activatesAt) } : {}),
    ...(type === 'points.refunded' ? { spend: data.spend ?? reverses } : {}),
    ...(typeof data.lot === 'number' ? { lot: encodeEntryId(member ?? '', data.lot) } : {}),
  }
}

function beginning(activatesAt: Instant | null): string | null {
  return activatesAt === null || isFar(activatesAt) ? null : formatInstant(activatesAt)
}

/** A hold when it was placed, captured or let go: what is told of it never changes after. */
function holdData({ configuration, holds }: Rows, event: StoredEvent): unknown {
  const hold: Hold = found(holds.get(event.data.hold), event)
  const program = found(programById(configuration, hold.programId), event)
  const wallets = hold.parts.map((part, i) => {
    const wallet = walletSlug(program, part.w)
    if (event.type !== 'points.captured') return { wallet, points: part.p }
    const [points, seq] = hold.captured?.[i] ?? [0, 0]
    return { wallet, points, entry: seq === 0 ? null : encodeEntryId(hold.member, seq) }
  })
  return {
    hold: encodeId('hld', hold.id),
    program: program.slug,
    wallets,
    reason: hold.reason,
    externalId: hold.externalId,
    deadline: formatInstant(hold.deadline),
    ...(event.type === 'points.released' ? { lapsed: hold.status === HOLD_STATUS.lapsed } : {}),
  }
}

function willExpireData({ configuration }: Rows, event: StoredEvent): unknown {
  const { program, slug } = found(configuration.byWalletId.get(Number(event.data.wallet)), event)
  return {
    program: program.slug,
    wallet: slug,
    points: event.data.points,
    expiresAt: formatInstant(event.data.expiresAt as Instant),
  }
}

/** An event is written with what it tells of: that is always there. */
function found<T>(value: T | undefined, of: { id: Uuid }): T {
  if (value === undefined) throw new Error(`what ${of.id} tells of is not there`)
  return value
}
