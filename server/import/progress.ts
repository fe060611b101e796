import type { Writable } from 'node:stream'

/** How far an import is. `total`: undefined while it is not known; then `share` of the file's bytes says how far. */
export type State = { doing: string; rows: number; total?: number; share: number }
export type Progress = { show(state: State): void; end(): void }

type Terminal = Writable & { isTTY?: boolean; columns?: number }

const REDRAW_MS = 100
const PLAIN_MS = 5_000
const BAR_MAX = 24
/** The rate is that of the last so many milliseconds, so that it says what is going on now. */
const RATE_OVER_MS = 5_000

/** A line that is drawn again on a terminal; elsewhere a line every five seconds. */
export function progressOn(out: Terminal, now: () => number = Date.now): Progress {
  const tty = out.isTTY === true
  let shownAt = 0
  let drawn = false
  let doing = ''
  let marks: { at: number; rows: number; share: number }[] = []
  return {
    show(state) {
      const at = now()
      if (state.doing !== doing) {
        doing = state.doing
        marks = [{ at, rows: 0, share: 0 }]
        shownAt = tty ? 0 : at
      }
      if (at - shownAt < (tty ? REDRAW_MS : PLAIN_MS)) return
      shownAt = at
      marks.push({ at, rows: state.rows, share: state.share })
      while (marks.length > 2 && (marks[1] as { at: number }).at <= at - RATE_OVER_MS) marks.shift()
      const since = marks[0] as { at: number; rows: number; share: number }
      const lately = { ms: at - since.at, rows: state.rows - since.rows, share: state.share - since.share }
      out.write(tty ? `\r\u001b[K${line(state, lately, (out.columns ?? 80) - 1)}` : `${line(state, lately)}\n`)
      drawn = true
    },
    end() {
      if (tty && drawn) out.write('\r\u001b[K')
      drawn = false
    },
  }
}

/** In a line of at most `width` characters the bar takes what room there is; without a width there is none. */
function line(state: State, lately: { ms: number; rows: number; share: number }, width?: number): string {
  const share = Math.min(1, state.total ? state.rows / state.total : state.share)
  const rate = lately.ms > 0 ? (lately.rows / lately.ms) * 1000 : 0
  const gained = state.total ? lately.rows / state.total : lately.share
  const left = gained > 0 ? ((1 - share) / gained) * lately.ms : undefined
  const said = [
    `${Math.floor(share * 100)} %`,
    ...(state.total ? [`${count(state.rows)} of ${count(state.total)} rows`] : []),
    ...(rate > 0 ? [`${count(Math.round(rate))}/s`] : []),
    ...(left === undefined ? [] : [`${duration(left)} left`]),
  ].join('  ')
  if (width === undefined) return `${state.doing}  ${said}`
  const room = Math.min(BAR_MAX, width - state.doing.length - said.length - 4)
  const filled = Math.round(share * Math.max(0, room))
  const bar = room > 0 ? `${'█'.repeat(filled)}${'░'.repeat(room - filled)}  ` : ''
  return `${state.doing}  ${bar}${said}`.slice(0, width)
}

function count(n: number): string {
  return n.toLocaleString('en-GB')
}

/** `45 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`
}
