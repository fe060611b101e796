import { encodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { AssignTierBody, LadderBody, LadderVersionBody, ReleaseTierBody } from '@laurel/contract/tiers'
import type { Db } from '@laurel/engine/base/db'
import { newId } from '@laurel/engine/base/ids'
import { archiveLadder, createLadder, publishLadderVersion } from '@laurel/engine/configure-ladders'
import { type Asking, previewLadder, previewNewLadder } from '@laurel/engine/preview-ladder'
import { getLadder, ladderRow, listLadders } from '@laurel/engine/tiers/ladder-answers'
import { currentConfiguration } from '@laurel/engine/views/current'
import { listMemberTiers, listTierHistory } from '@laurel/engine/views/tiers'
import { answer, type Call, type Handlers, pageOf, param, read, write } from '../call.ts'
import { instantAt, invalid } from '../door.ts'
import { submit } from './purchases.ts'

const fixed = (call: Call) => ({ now: call.now, newId })

/** Whose ladder it is, is looked up first: what happens on it is read with what else counts in its program. */
async function named(call: Call): Promise<{ member: string; program: string; ladder: string }> {
  const row = await read(call, (db) => ladderRow(db, param(call, 'ladder'), call.query.program))
  return { member: param(call, 'member'), program: row.program, ladder: encodeId('ldr', row.id) }
}

/** Later, microseconds would not be exact (contract/instants.ts). */
function untilAt(text: string): Instant {
  const at = instantAt('/until', text)
  if (!Number.isSafeInteger(at))
    throw invalid([{ pointer: '/until', detail: 'must lie before 2255; for ever: leave it out' }])
  return at
}

/** A preview, in one snapshot. */
function asked<T>(call: Call, work: (db: Db, asking: Asking) => Promise<T>): Promise<T> {
  return read(call, async (db) => {
    const configuration = await currentConfiguration(db, call.door.configurations)
    return await work(db, { configuration, now: call.now })
  })
}

export const tiers: Handlers<
  | 'createTierLadder'
  | 'listTierLadders'
  | 'getTierLadder'
  | 'publishTierLadderVersion'
  | 'archiveTierLadder'
  | 'previewNewTierLadder'
  | 'previewTierLadder'
  | 'listMemberTiers'
  | 'assignTier'
  | 'releaseTier'
  | 'listTierHistory'
> = {
  createTierLadder: (call) =>
    write(call, async (tx) => answer(201, await createLadder(tx, call.body as LadderBody, fixed(call)))),

  listTierLadders: async (call) =>
    answer(200, await read(call, (db) => listLadders(db, { program: call.query.program }, pageOf(call)))),

  getTierLadder: async (call) => answer(200, await read(call, (db) => getLadder(db, param(call, 'ladder')))),

  publishTierLadderVersion: (call) => {
    const body = call.body as LadderVersionBody
    return write(call, async (tx) =>
      answer(201, await publishLadderVersion(tx, param(call, 'ladder'), body, fixed(call))),
    )
  },

  archiveTierLadder: (call) =>
    write(call, async (tx) => answer(200, await archiveLadder(tx, param(call, 'ladder'), fixed(call)))),

  previewNewTierLadder: async (call) =>
    answer(200, await asked(call, (db, asking) => previewNewLadder(db, call.body as LadderBody, asking))),

  previewTierLadder: async (call) => {
    const body = call.body as LadderVersionBody
    return answer(200, await asked(call, (db, asking) => previewLadder(db, param(call, 'ladder'), body, asking)))
  },

  listMemberTiers: async (call) => {
    const { program } = call.query
    const { configurations } = call.door
    return answer(
      200,
      await read(call, (db) => listMemberTiers(db, configurations, param(call, 'member'), { program }, call.now)),
    )
  },

  assignTier: async (call) => {
    const { tier, until, reason } = call.body as AssignTierBody
    const at = until == null ? undefined : untilAt(until)
    return await submit(call, { verb: 'assignTier', ...(await named(call)), tier, until: at, reason })
  },

  releaseTier: async (call) => {
    const { reason } = call.body as ReleaseTierBody
    return await submit(call, { verb: 'releaseTier', ...(await named(call)), reason })
  },

  listTierHistory: async (call) => {
    const named = { member: param(call, 'member'), ladder: param(call, 'ladder'), program: call.query.program }
    return answer(200, await read(call, (db) => listTierHistory(db, named, pageOf(call))))
  },
}
