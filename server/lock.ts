import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Who uses a data directory. `born`: when that process began, as the system says it, since process ids come again. */
export type Holder = { pid: number; born: string; command: string; since: string }

/**
 * Takes a data directory for this process, or answers who has it. A holder that was killed holds nothing: its lock
 * is taken over.
 */
export function lockDirectory(directory: string, command: string): { release(): void } | { heldBy: Holder } {
  const file = join(directory, 'laurel.lock')
  const own: Holder = { pid: process.pid, born: bornOf(process.pid) ?? '', command, since: new Date().toISOString() }
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 })
  try {
    for (;;) {
      try {
        linkSync(draft, file) // atomic: fails when there is one
        return { release: () => rmSync(file, { force: true }) }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const held = holderOf(file)
      if (held && stillRuns(held)) return { heldBy: held }
      if (held) setAside(file, held)
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Who has a data directory now, if anybody. */
export function holderOfDirectory(directory: string): Holder | undefined {
  const held = holderOf(join(directory, 'laurel.lock'))
  return held && stillRuns(held) ? held : undefined
}

/** Removes a dead holder's lock, unless another process has just done so and put its own there. */
function setAside(file: string, dead: Holder): void {
  const aside = `${file}.dead.${process.pid}`
  try {
    renameSync(file, aside)
    const moved = holderOf(aside)
    if (moved && (moved.pid !== dead.pid || moved.born !== dead.born)) linkSync(aside, file)
  } catch {
    // another was quicker: the next round sees whose it is
  }
  rmSync(aside, { force: true })
}

/** Undefined when there is no lock, or none that can be read. */
function holderOf(file: string): Holder | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    return JSON.parse(text) as Holder
  } catch {
    return { pid: 0, born: '', command: '', since: '' } // torn by a power cut: nobody's
  }
}

function stillRuns(holder: Holder): boolean {
  return holder.pid > 0 && bornOf(holder.pid) === holder.born
}

/** Undefined when there is no such process. */
function bornOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before may hold spaces and brackets
      return fields[0] === 'Z' ? undefined : fields[19]
    }
    process.kill(pid, 0)
    if (process.platform === 'win32') return 'running'
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}
