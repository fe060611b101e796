import { type FileHandle, open, rm } from 'node:fs/promises'
import type { Fault } from './plan.ts'

/**
 * The rows that were refused, as CSV: line, code, what they are of (`noun`), reason. Made when the first row is refused; what an earlier run left
 * there goes at the start.
 */
export type RefusedFile = {
  /** Lines are kept back and written in pieces: close writes the last. */
  add(number: string, faults: readonly Fault[]): void
  /** The path, if any row was refused. */
  close(): Promise<string | undefined>
}

const PIECE_CHARACTERS = 65_536

export async function refusedFile(path: string, noun = 'purchase'): Promise<RefusedFile> {
  await rm(path, { force: true })
  let file: FileHandle | undefined
  let text = ''
  let writing: Promise<void> = Promise.resolve()

  async function write(piece: string): Promise<void> {
    if (!file) {
      file = await open(path, 'w')
      await file.write(`line,code,${noun},reason\n`)
    }
    await file.write(piece)
  }

  function flush(): void {
    const piece = text
    text = ''
    writing = writing.then(() => write(piece))
    writing.catch(() => {}) // said by close
  }

  return {
    add(number, faults) {
      for (const { line, code, reason } of faults) text += `${line},${code},${csvCell(number)},${csvCell(reason)}\n`
      if (text.length > PIECE_CHARACTERS) flush()
    },
    async close() {
      if (text !== '') flush()
      await writing
      await file?.close()
      return file && path
    },
  }
}

/**
 * A cell that no spreadsheet takes for a formula: one that begins like one gets an apostrophe in front, as does one that
 * begins with an apostrophe already, so that taking one away gives back what was said.
 */
export function csvCell(text: string): string {
  const inert = /^['=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert
}
