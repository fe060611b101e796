import { REFUSALS } from '@laurel/contract/refusals'
import { ROW_CODES } from './row.ts'

/** What an import has done so far. Rows add up: taken + skipped + refused + ofUnknownMembers = rows. */
export type Tally = {
  /** Of the file, without its header and empty lines. */
  rows: number
  /** Rows of purchases and returns that are stored now, by this run or an earlier one. */
  taken: number
  skipped: Map<string, number>
  /** Refused rows by code. */
  refused: Map<string, number>
  purchases: {
    found: number
    recorded: number
    alreadyThere: number
    refused: number
    /** of those recorded, kept without a member */
    unclaimed: number
    points: number
    pointsAlreadyThere: number
  }
  returns: {
    found: number
    recorded: number
    alreadyThere: number
    refused: number
    /** Returns of customers who have bought nothing: there is no member to take anything from. */
    ofUnknownMembers: number
    rowsOfUnknownMembers: number
    /** Taken back; `writtenOff`: what was not to be found any more; `gone`: what had ended before anybody used it. */
    points: number
    pointsAlreadyThere: number
    writtenOff: number
    gone: number
    units: number
    unitsUnmatched: number
  }
  membersEnrolled: number
  /** Purchases and returns of which the server could not say what it did: a fault of ours. */
  faults: number
  /** Where a stopped import stood: the line of the file, and why. */
  stopped?: { line: number; why: string }
  seconds: number
}

export function emptyTally(): Tally {
  return {
    rows: 0,
    taken: 0,
    skipped: new Map(),
    refused: new Map(),
    purchases: { found: 0, recorded: 0, alreadyThere: 0, refused: 0, unclaimed: 0, points: 0, pointsAlreadyThere: 0 },
    returns: {
      found: 0,
      recorded: 0,
      alreadyThere: 0,
      refused: 0,
      ofUnknownMembers: 0,
      rowsOfUnknownMembers: 0,
      points: 0,
      pointsAlreadyThere: 0,
      writtenOff: 0,
      gone: 0,
      units: 0,
      unitsUnmatched: 0,
    },
    membersEnrolled: 0,
    faults: 0,
    seconds: 0,
  }
}

export function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n)
}

export function sum(counts: Map<string, number>): number {
  let total = 0
  for (const n of counts.values()) total += n
  return total
}

/** Whether this run changed anything. */
export function changed(tally: Tally): boolean {
  return tally.purchases.recorded + tally.returns.recorded > 0
}

/** As JSON, for --report. */
export function reportJson(tally: Tally, about: Record<string, unknown>): string {
  return `${JSON.stringify(
    {
      ...about,
      changed: changed(tally),
      ...tally,
      skipped: Object.fromEntries(tally.skipped),
      refused: Object.fromEntries(tally.refused),
    },
    null,
    2,
  )}\n`
}

/** For people. `dryRun`: nothing was asked of the engine. */
export function reportText(tally: Tally, options: { dryRun: boolean; refusedFile?: string }): string {
  const { purchases: p, returns: r } = tally
  const table: [string, number | string, string?][] = [
    ['rows', tally.rows],
    ...counts('  skipped: ', tally.skipped),
    ...counts('  refused: ', tally.refused, (code) => meaning(code)),
    [
      'purchases',
      p.found,
      options.dryRun
        ? ''
        : parts([
            [p.recorded, 'recorded'],
            [p.unclaimed, 'of them without a member'],
            [p.alreadyThere, 'already there'],
            [p.refused, 'refused'],
          ]),
    ],
    [
      'returns',
      r.found,
      options.dryRun
        ? ''
        : parts([
            [r.recorded, 'recorded'],
            [r.alreadyThere, 'already there'],
            [r.refused, 'refused'],
            [r.ofUnknownMembers, 'of customers who are no members'],
          ]),
    ],
    ['return units', r.units],
  ]
  if (options.dryRun) table.push(['members named', tally.membersEnrolled])
  else {
    table.push(
      ['  unmatched', r.unitsUnmatched, 'matched to no earlier purchase: nothing taken back'],
      ['members enrolled', tally.membersEnrolled],
      ['points issued', p.points, there(p.pointsAlreadyThere)],
      ['points reversed', r.points, there(r.pointsAlreadyThere)],
    )
    if (r.gone > 0)
      table.push(['points that had ended', r.gone, 'expired before their goods came back: nothing taken for them'])
    if (r.writtenOff > 0) table.push(['points written off', r.writtenOff, 'spent before they could be taken back'])
    if (tally.faults > 0) table.push(['faults', tally.faults, 'of Laurel itself: please report them'])
  }
  const width = Math.max(...table.map(([name]) => name.length))
  const lines = table.map(
    ([name, n, note]) => `  ${name.padEnd(width)}  ${group(n).padStart(13)}${note ? `   ${note}` : ''}`,
  )
  return `${lines.join('\n')}\n${closing(tally, changed(tally), options)}`
}

/** What is said at the end. */
export function closing(
  tally: Pick<Tally, 'stopped'>,
  changed: boolean,
  { dryRun, refusedFile }: { dryRun: boolean; refusedFile?: string },
): string {
  const said: string[] = []
  if (tally.stopped)
    said.push(`Stopped near line ${tally.stopped.line}: ${tally.stopped.why}. Run the same command again to go on.`)
  else if (dryRun) said.push('Dry run: nothing was stored.')
  else if (!changed) said.push('Nothing changed: everything was there already.')
  if (refusedFile) said.push(`Refused rows, with line numbers and reasons: ${refusedFile}`)
  return said.map((line) => `${line}\n`).join('')
}

function counts(
  prefix: string,
  of: Map<string, number>,
  note: (key: string) => string = () => '',
): [string, number, string][] {
  return [...of].sort(([, a], [, b]) => b - a).map(([key, n]) => [prefix + key, n, note(key)])
}

/** Lines of a report for counts by reason or, `explained`, by code. */
export function counted(prefix: string, of: Map<string, number>, explained = false): [string, number, string][] {
  return counts(prefix, of, explained ? meaning : undefined)
}

function meaning(code: string): string {
  if (Object.hasOwn(ROW_CODES, code)) return ROW_CODES[code as keyof typeof ROW_CODES]
  return Object.hasOwn(REFUSALS, code) ? REFUSALS[code as keyof typeof REFUSALS].title : ''
}

function parts(of: [number, string][]): string {
  return of
    .filter(([n]) => n > 0)
    .map(([n, what]) => `${group(n)} ${what}`)
    .join(', ')
}

function there(points: number): string {
  return points > 0 ? `${group(points)} already there` : ''
}

export function group(n: number | string): string {
  return typeof n === 'string' ? n : n.toLocaleString('en-GB')
}
