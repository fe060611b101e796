import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'

/** Processor time, from /proc: Linux only. The kernel counts in ticks of 10 ms. */
const TICK_MICROS = 10_000

/** User and system time that a process (all of its threads) has used, in microseconds; 0 once it is gone. */
export function cpuOf(pid: number): number {
  const stat = statOf(pid)
  return stat ? stat.own : 0
}

/** The same of a PostgreSQL server: postmaster, every backend and worker, those included that have ended. */
export function cpuOfPostgres(postmaster: number): number {
  const stat = statOf(postmaster)
  if (!stat) return 0
  let sum = stat.own + stat.ended
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const child = statOf(pid)
    if (child?.parent === postmaster) sum += child.own + child.ended
  }
  return sum
}

export function loadAverage(): string {
  return loadavg()
    .map((n) => n.toFixed(2))
    .join(' ')
}

/** utime, stime, cutime and cstime are the 14th to 17th field; the second, in brackets, may hold anything. */
function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const at = (field: number) => (fields[field - 3] ?? 0) * TICK_MICROS
    return { parent: fields[1] ?? 0, own: at(14) + at(15), ended: at(16) + at(17) }
  } catch {
    return undefined
  }
}
