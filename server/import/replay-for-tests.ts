import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createGunzip } from 'node:zlib'
import { sum, type Tally } from './tally.ts'

/** What an independent program computed for half a year of a real retailer (examples/online-retail/README.md). */
export type Expected = {
  members: number
  purchases: number
  pointsIssued: number
  pointsReversed: number
  balances: number
  rowsSkipped: number
  returnUnitsUnmatched: number
  /** Of the lines `<customer>:<balance>`, sorted as text, joined by line feeds. */
  sha256OfBalances: string
}

const ROOT = join(import.meta.dirname, '../..')
const NAME = '2010-12_2011-05.csv.gz'

/** The real file: as given, else as LAUREL_REPLAY_FILE says, else where a data folder beside the checkout has it. */
export function replayFile(given?: string): string | undefined {
  const named = given ?? process.env.LAUREL_REPLAY_FILE
  if (named) return resolve(named)
  const beside = resolve(ROOT, '../shared/data/online-retail', NAME)
  return existsSync(beside) ? beside : undefined
}

/** What must come out of this file; undefined for any other content than the one that it was computed from. */
export async function expectedOf(file: string): Promise<Expected | undefined> {
  const all = JSON.parse(readFileSync(join(ROOT, 'examples/online-retail/expected.json'), 'utf8'))
  const { source: _, sha256OfCsv, ...expected } = all
  const content = createHash('sha256')
  const raw = createReadStream(file)
  for await (const chunk of file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw) content.update(chunk)
  return content.digest('hex') === sha256OfCsv ? expected : undefined
}

/** What did come out. `balances`: of all members, by external id. */
export function gotten(
  tally: Pick<Tally, 'purchases' | 'returns'> & { skipped: Tally['skipped'] },
  balances: Record<string, number>,
): Expected {
  const lines = Object.entries(balances).map(([customer, balance]) => `${customer}:${balance}`)
  return {
    members: lines.length,
    purchases: tally.purchases.recorded + tally.purchases.alreadyThere,
    pointsIssued: tally.purchases.points + tally.purchases.pointsAlreadyThere,
    pointsReversed: tally.returns.points + tally.returns.pointsAlreadyThere,
    balances: Object.values(balances).reduce((total, balance) => total + balance, 0),
    rowsSkipped: sum(tally.skipped),
    returnUnitsUnmatched: tally.returns.unitsUnmatched,
    sha256OfBalances: createHash('sha256').update(lines.sort().join('\n')).digest('hex'),
  }
}
