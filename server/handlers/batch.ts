import { type FieldError, problem } from '@laurel/contract/refusals'
import type { Ask } from '@laurel/engine/gate/asks'
import type { Call } from '../call.ts'
import { invalid } from '../door.ts'
import { onceInPieces } from '../idempotent.ts'
import { type Answer, answerTo } from '../problems.ts'

/** How the items of a batch are read: `field` is the list's name in the body, `word` an item's in the results. */
export type Batch = { field: string; word: string; operation: string; askOf: (value: unknown) => Ask | FieldError[] }

/** Each item is taken or refused by itself, in bulk; the results come in the order of what was sent. */
export function recordBatch(call: Call, given: readonly unknown[], batch: Batch): Promise<Answer> {
  return onceInPieces(call.door.pool, call.caller.space, call.idempotency, call.now, async () => {
    const faults = Map.groupBy(call.faults, (fault) => Number(fault.pointer.split('/')[2]))
    const results = await Promise.all(given.map((value, i) => recordOne(call, batch, value, faults.get(i))))
    return { status: 200, body: `{"results":[${results.join(',')}]}`, headers: {} }
  })
}

/** One item as it stands in the results: whatever is wrong with it is its own. */
async function recordOne(call: Call, batch: Batch, value: unknown, faults: FieldError[] | undefined): Promise<string> {
  if (faults) {
    const prefix = new RegExp(`^/${batch.field}/\\d+`)
    return within(faults.map(({ pointer, detail }) => ({ pointer: pointer.replace(prefix, ''), detail })))
  }
  const ask = batch.askOf(value)
  if (Array.isArray(ask)) return within(ask)
  try {
    const { status, body } = await call.door.gate.submit(call.caller.space, ask, { actor: call.caller.key }, 'bulk')
    return `{"status":${status},"${status < 400 ? batch.word : 'error'}":${body}}`
  } catch (error) {
    const { status, body } = answerTo(error, call.requestId, batch.operation, call.door.log)
    return `{"status":${status},"error":${body}}`
  }
}

function within(errors: FieldError[]): string {
  return `{"status":400,"error":${JSON.stringify(problem(invalid(errors).refusal))}}`
}
