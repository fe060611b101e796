/**
 * Keeps many jobs under way, in an order that makes a second run end like the first: what one member buys may be under
 * way together, but a return waits until everything before it of its member is answered, and what comes after it waits
 * for its answer. Members do not wait for each other.
 */
export type Job = { member: string; isReturn: boolean; run(): Promise<void> }

export type Feeder = {
  /** Resolves when there is room for another. Rejects with the first failure. */
  offer(job: Job): Promise<void>
  /** Resolves when all that was offered is done. Rejects with the first failure. */
  drain(): Promise<void>
}

type Lane = { open: number; returnOpen: boolean; waiting: Job[] }

export function feeder(underWayMax: number): Feeder {
  const lanes = new Map<string, Lane>()
  let held = 0
  let failure: Error | undefined
  let wake: (() => void) | undefined

  function begin(member: string, lane: Lane, job: Job): void {
    lane.open += 1
    lane.returnOpen = job.isReturn
    void job
      .run()
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error))
      })
      .then(() => {
        lane.open -= 1
        held -= 1
        if (lane.open === 0) lane.returnOpen = false
        advance(member, lane)
        wake?.()
      })
  }

  function mayBegin(lane: Lane, job: Job): boolean {
    return !lane.returnOpen && (!job.isReturn || lane.open === 0)
  }

  function advance(member: string, lane: Lane): void {
    while (lane.waiting[0] && mayBegin(lane, lane.waiting[0])) {
      const job = lane.waiting.shift() as Job
      if (!failure) begin(member, lane, job)
      else held -= 1
    }
    if (lane.open === 0 && lane.waiting.length === 0) lanes.delete(member)
  }

  async function until(enough: () => boolean): Promise<void> {
    while (!enough() && !(failure && held === 0)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (failure) throw failure
  }

  return {
    async offer(job) {
      if (failure) await until(() => held === 0)
      held += 1
      const lane = lanes.get(job.member) ?? { open: 0, returnOpen: false, waiting: [] }
      lanes.set(job.member, lane)
      if (lane.waiting.length === 0 && mayBegin(lane, job)) begin(job.member, lane, job)
      else lane.waiting.push(job)
      if (held >= underWayMax) await until(() => held < underWayMax)
    },
    drain: () => until(() => held === 0),
  }
}
