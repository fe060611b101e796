import type { OpenDriver } from './driver.ts'
import { randomOf } from './random.ts'
import { type Failure, simulate } from './simulate.ts'

/** Many histories, short and long ones, until `steps` are done or one fails. The same seed plays the same. */
export async function campaign(
  seed: number,
  steps: number,
  open: OpenDriver,
  progress: (done: number) => void = () => {},
): Promise<{ failure: Failure; history: number } | undefined> {
  const r = randomOf(seed)
  let done = 0
  for (let history = 1; done < steps; history++) {
    const length = Math.min(steps - done, r.pick([60, 250, 600, 1_000]))
    const failure = await simulate(r.int(0, 2 ** 31 - 1), length, open)
    if (failure) return { failure, history }
    done += length
    progress(done)
  }
  return undefined
}
