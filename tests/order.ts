import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The files that run for longest, longest first: begun last, one of them would leave the other processor with nothing to do.
 * Where one is missing, or is quicker by now, nothing breaks but the time.
 */
const LONGEST = [
  'scripts/simulate.test.ts',
  'scripts/simulate-offers.test.ts',
  'scripts/check.test.ts',
  'tests/simulate/simulate.test.ts',
  'server/start.slow.test.ts',
  'tests/simulate/simulate.db.test.ts',
  'server/import/replay.db.test.ts',
  'server/crash.slow.test.ts',
  'server/rest.db.test.ts',
  'server/import/replay-expiry.db.test.ts',
  'engine/gate/held-up.slow.test.ts',
]
/** Then ring by ring, since files of one ring share a process; the ring with the shortest files ends it. */
const RINGS = ['house', 'slow', 'database', 'pure']

/** Within a ring what took longest last time, or else the largest, comes first: as vitest has it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      const known = LONGEST.indexOf(relative(project.config.root, moduleId))
      return known >= 0 ? known : LONGEST.length + RINGS.indexOf(project.name)
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}
