/** Right-aligned columns under their names; the first column is left-aligned. */
export function printTable(columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  console.log(
    ['', line(columns), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line), ''].join('\n'),
  )
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

export const whole = (n: number) => Math.round(n).toLocaleString('en')
export const ratio = (n: number) => n.toFixed(2)
/** Microseconds as milliseconds. */
export const ms = (micros: number) => (micros / 1000).toFixed(1)
