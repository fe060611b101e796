import type { Ask, OpenAsk, Outcome } from '@laurel/engine/gate/asks'
import { type BalancesMap, plainMap } from './balances-map.ts'
import { balancesPlan } from './balances-plan.ts'
import { feeder } from './feed.ts'
import { patientAsker } from './patience.ts'
import type { Progress } from './progress.ts'
import type { RefusedFile } from './refused.ts'
import { importTable, type Line, refuse, type TableTally } from './table.ts'
import type { Counted } from './table-tally.ts'
import { add } from './tally.ts'

export type BalancesOptions = {
  path: string
  /** undefined: columns are called as in plainMap */
  map: BalancesMap | undefined
  program: string
  wallet?: string | undefined
  /** Asks the engine; undefined for a dry run. */
  submit: ((ask: Ask) => Promise<Outcome>) | undefined
  refused: RefusedFile
  progress: Progress
  stop?: AbortSignal | undefined
  underWayMax?: number
  patienceMs?: number
}

/** Balances under way at once. */
const UNDER_WAY_MAX = 1_000

export const BALANCES_COUNTED: readonly Counted[] = [
  { count: 'opened', words: 'balances opened', changes: true },
  { count: 'alreadyThere', words: 'already there' },
  { count: 'points', words: 'points opened' },
  { count: 'pointsAlreadyThere', words: 'points already there' },
]

/**
 * Imports a file of opening balances: each row is a lot with its own dates, known by the row's own number, so that a second run
 * changes nothing and one after a killed one goes on where that ended. Members have to be there before.
 */
export async function importBalances(options: BalancesOptions): Promise<TableTally> {
  const { path, map, program, wallet, submit } = options
  const feed = feeder(options.underWayMax ?? UNDER_WAY_MAX)
  let asker: ReturnType<typeof patientAsker> | undefined
  return await importTable<OpenAsk>({
    source: { path, file: map?.file },
    planOf: (header) => balancesPlan(map ?? plainMap(header), header, { program, wallet }),
    put:
      submit &&
      (async (tally, line) => {
        const ask = (asker ??= patientAsker(() => {
          tally.faults += 1
        }, options.patienceMs))
        await feed.offer({
          member: line.item.member,
          isReturn: false,
          run: async () => take(options, tally, line, await ask(() => submit(line.item))),
        })
      }),
    end: () => feed.drain(),
    refused: options.refused,
    progress: options.progress,
    stop: options.stop,
  })
}

function take(options: BalancesOptions, tally: TableTally, line: Line<OpenAsk>, { status, body }: Outcome): void {
  if (status >= 400) {
    const { code, detail } = JSON.parse(body) as { code: string; detail: string }
    refuse(options, tally, line.key, line.line, { code, reason: detail })
    return
  }
  tally.taken += 1
  add(tally.counts, status === 201 ? 'opened' : 'alreadyThere', 1)
  add(tally.counts, status === 201 ? 'points' : 'pointsAlreadyThere', line.item.points)
}
