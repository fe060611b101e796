import type { LadderBody, LadderVersionBody } from '@laurel/contract/tiers'
import { newId } from '@laurel/engine/base/ids'
import { archiveLadder, createLadder, publishLadderVersion } from '@laurel/engine/configure-ladders'
import { getLadder, listLadders } from '@laurel/engine/tiers/ladder-answers'
import { answer, type Call, type Handlers, pageOf, param, read, write } from '../call.ts'

const fixed = (call: Call) => ({ now: call.now, newId })

export const tiers: Handlers<
  'createTierLadder' | 'listTierLadders' | 'getTierLadder' | 'publishTierLadderVersion' | 'archiveTierLadder'
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
}
