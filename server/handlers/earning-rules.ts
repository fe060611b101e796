import type { RuleBody, RuleVersionBody } from '@laurel/contract/earning-rules'
import type { Instant } from '@laurel/contract/instants'
import { newId } from '@laurel/engine/base/ids'
import {
  createRule,
  publishRuleVersion,
  type RuleTurn,
  type RuleVersionAsk,
  turnRule,
} from '@laurel/engine/configure-rules'
import { getRule, listRules } from '@laurel/engine/earning/rules'
import { answer, type Call, type Handler, type Handlers, pageOf, param, read, write } from '../call.ts'
import { instantAt } from '../door.ts'

const fixed = (call: Call) => ({ now: call.now, newId })

/** Instants read; null takes a bound away, what was left out stays out. */
function windowOf(body: { startsAt?: string | null | undefined; endsAt?: string | null | undefined }) {
  const at = (name: 'startsAt' | 'endsAt'): Instant | null | undefined => {
    const text = body[name]
    return text == null ? text : instantAt(`/${name}`, text)
  }
  return { startsAt: at('startsAt'), endsAt: at('endsAt') }
}

const turn =
  (way: RuleTurn): Handler =>
  (call) =>
    write(call, async (tx) => answer(200, await turnRule(tx, param(call, 'rule'), way, fixed(call))))

export const earningRules: Handlers<
  | 'createEarningRule'
  | 'listEarningRules'
  | 'getEarningRule'
  | 'publishRuleVersion'
  | 'publishEarningRule'
  | 'pauseEarningRule'
  | 'resumeEarningRule'
  | 'archiveEarningRule'
> = {
  createEarningRule: (call) => {
    const body = call.body as RuleBody
    const ask = { ...body, ...windowOf(body) }
    return write(call, async (tx) => answer(201, await createRule(tx, ask, fixed(call))))
  },
  listEarningRules: async (call) =>
    answer(200, await read(call, (db) => listRules(db, { ...pageOf(call), program: call.query.program }))),
  getEarningRule: async (call) => answer(200, await read(call, (db) => getRule(db, param(call, 'rule')))),
  publishRuleVersion: (call) => {
    const body = call.body as RuleVersionBody
    const effectiveFrom = body.effectiveFrom === undefined ? undefined : instantAt('/effectiveFrom', body.effectiveFrom)
    const ask = { ...body, ...windowOf(body), effectiveFrom } as RuleVersionAsk
    return write(call, async (tx) => answer(201, await publishRuleVersion(tx, param(call, 'rule'), ask, fixed(call))))
  },
  publishEarningRule: turn('publish'),
  pauseEarningRule: turn('pause'),
  resumeEarningRule: turn('resume'),
  archiveEarningRule: turn('archive'),
}
