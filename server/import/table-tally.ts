import { closing, counted, group } from './tally.ts'
import type { TableTally } from './table.ts'

/** What is counted, in the words of the report; `changes`: whether it says that this run changed anything. */
export type Counted = { count: string; words: string; note?: string; changes?: boolean }

/** Whether this run changed anything. */
export function tableChanged({ counts }: TableTally, counted: readonly Counted[]): boolean {
  return counted.some(({ count, changes }) => changes && (counts.get(count) ?? 0) > 0)
}

/** As JSON, for --report. */
export function tableJson(tally: TableTally, words: readonly Counted[], about: Record<string, unknown>): string {
  const { counts, skipped, refused, ...rest } = tally
  const named = Object.fromEntries(words.map(({ count }) => [count, counts.get(count) ?? 0]))
  const told = { skipped: Object.fromEntries(skipped), refused: Object.fromEntries(refused) }
  return `${JSON.stringify({ ...about, changed: tableChanged(tally, words), ...rest, ...named, ...told }, null, 2)}\n`
}

/** For people. */
export function tableText(
  tally: TableTally,
  words: readonly Counted[],
  options: { dryRun: boolean; refusedFile?: string },
): string {
  const table: [string, number, string?][] = [
    ['rows', tally.rows],
    ...counted('  skipped: ', tally.skipped),
    ...counted('  refused: ', tally.refused, true),
    ...(options.dryRun
      ? ([['rows that are well', tally.taken]] as [string, number][])
      : words.map(({ count, words: name, note }): [string, number, string?] => [
          name,
          tally.counts.get(count) ?? 0,
          note ?? '',
        ])),
  ]
  if (tally.faults > 0) table.push(['faults', tally.faults, 'of Laurel itself: please report them'])
  const width = Math.max(...table.map(([name]) => name.length))
  const lines = table.map(
    ([name, n, note]) => `  ${name.padEnd(width)}  ${group(n).padStart(13)}${note ? `   ${note}` : ''}`,
  )
  return `${lines.join('\n')}\n${closing(tally, tableChanged(tally, words), options)}`
}
