import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '@laurel/engine/gate/asks'

const PATIENCE_MS = 60_000
const PAUSE_MS = 100
const PAUSE_MAX_MS = 5_000
/** So many things in a row that met a fault: it is not about them. */
const FAULTS_MAX = 100

/** The server could not take anything any more, for as long as we had patience. */
export class Outage extends Error {}

/**
 * Asks until there is an answer: what cannot be taken now is asked again, with growing pauses; a fault of the server's own is asked
 * again once, then counted and answered as one. Throws an Outage.
 */
export function patientAsker(
  onFault: () => void,
  patienceMs = PATIENCE_MS,
): (ask: () => Promise<Outcome | undefined>) => Promise<Outcome> {
  let faultsInARow = 0
  return async (ask) => {
    const until = Date.now() + patienceMs
    let faults = 0
    for (let pause = PAUSE_MS; ; pause = Math.min(PAUSE_MAX_MS, pause * 2)) {
      let outcome: Outcome | undefined
      let fault: Error | undefined
      try {
        outcome = await ask()
      } catch (error) {
        fault = error as Error
      }
      if (outcome && outcome.status !== 429 && outcome.status !== 503) {
        faultsInARow = 0
        return outcome
      }
      if (fault && ++faults > 1) {
        onFault()
        if (++faultsInARow >= FAULTS_MAX) throw new Outage(`one fault of Laurel's own after another: ${fault.message}`)
        return { status: 500, body: JSON.stringify({ code: 'fault', detail: fault.message }), replayed: false }
      }
      if (Date.now() + pause > until) {
        throw new Outage(
          outcome ? (JSON.parse(outcome.body) as { detail: string }).detail : (fault?.message ?? 'no answer'),
        )
      }
      await sleep(pause)
    }
  }
}
