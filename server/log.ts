import pino from 'pino'
import type { Config } from './config.ts'

/**
 * Logs go to standard output: JSON, one line each, or readable lines on a terminal. Nothing personal is logged: no
 * bodies, no queries, no keys; a member at most by id.
 */
export function openLog(level: Config['logLevel'], terminal: boolean = process.stdout.isTTY): pino.Logger {
  const options = {
    level,
    base: { pid: process.pid },
    redact: ['req.headers', 'headers', 'authorization', 'password', 'url'],
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return terminal ? pino(options, { write: (line: string) => process.stdout.write(readable(line)) }) : pino(options)
}

type Line = { time: string; level: string; msg?: string; err?: { stack?: string }; pid: number }

/** `03:18:45 warn  message  {rest}`, and an error's stack below. */
function readable(line: string): string {
  const { time, level, msg = '', err, pid: _, ...rest } = JSON.parse(line) as Line
  const more = Object.keys(rest).length > 0 ? `  ${JSON.stringify(rest)}` : ''
  const stack = err?.stack ? `\n${err.stack}` : ''
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${msg}${more}${stack}\n`
}
