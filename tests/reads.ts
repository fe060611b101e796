/**
 * How much is looked at, counted instead of timed: the same on every machine. `of` makes rows that count whoever reads a field of theirs;
 * `during` counts elements of any array that are walked over by its methods. A mistake is stopped at MOST, so that it fails and does not hang.
 */
export class Reads {
  times = 0

  of<T extends object>(rows: readonly T[]): T[] {
    return rows.map((row) => this.ofOne(row))
  }

  /** `deep`: of what is inside, too. */
  ofOne<T extends object>(row: T, deep = false): T {
    return new Proxy(row, {
      get: (target, field) => {
        this.add(1)
        const value: unknown = Reflect.get(target, field)
        return deep && typeof value === 'object' && value !== null ? this.ofOne(value, true) : value
      },
    })
  }

  /** Counts from zero while it works. */
  during<T>(work: () => T): T {
    const add = (n: number) => this.add(n)
    const methods = Array.prototype as unknown as Record<string, Walk>
    const before = new Map([...CALLING, ...SEEKING, ...COPYING].map((name) => [name, methods[name] as Walk]))
    for (const [name, walk] of before) methods[name] = counting(name, walk, add)
    this.times = 0
    try {
      return work()
    } finally {
      for (const [name, walk] of before) methods[name] = walk
    }
  }

  private add(n: number): void {
    this.times += n
    if (this.times > MOST) throw new Error(`more than ${MOST} reads`)
  }
}

const MOST = 5_000_000
type Walk = (this: unknown[], ...said: unknown[]) => unknown
/** Call back for each element, look for one, or copy some. */
const CALLING = new Set([
  'find',
  'findLast',
  'findIndex',
  'some',
  'every',
  'filter',
  'map',
  'flatMap',
  'forEach',
  'reduce',
])
const SEEKING = new Set(['includes', 'indexOf'])
const COPYING = new Set(['flatMap', 'concat', 'slice', 'toSorted', 'flat'])

function counting(name: string, walk: Walk, add: (n: number) => void): Walk {
  return function (this: unknown[], callback, ...more) {
    const each = (...said: unknown[]): unknown => {
      add(1)
      return (callback as (...said: unknown[]) => unknown)(...said)
    }
    const came = walk.call(this, CALLING.has(name) ? each : callback, ...more)
    if (SEEKING.has(name)) add(typeof came === 'number' && came >= 0 ? came : this.length)
    else if (Array.isArray(came) && COPYING.has(name)) add(came.length)
    return came
  }
}

/** Ten times the rows may cost ten times the reads, and a little more where they are put in order; a hundred times is a walk over all for each. */
const LITTLE_MORE = 1.5

/** `reads`: how much is read when there are so many rows. Throws where it grows faster than they do. */
export function growsWithRows(rows: number, reads: (rows: number) => number): void {
  const [few, many] = [reads(rows), reads(10 * rows)]
  if (few < rows) throw new Error(`${few} reads of ${rows} rows: what is to be counted is not`)
  if (many > 10 * LITTLE_MORE * few)
    throw new Error(`${rows} rows were read ${few} times, ${10 * rows} rows ${many} times: more than they grew`)
}
