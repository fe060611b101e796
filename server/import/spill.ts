import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * What does not fit in memory goes to disk: texts with a number to sort by, given back in ascending order of it (and in the
 * order in which they were put, among equals). Sorted runs in one temporary folder, merged on the way back. The files
 * are removed from the folder's list as soon as they are open, so that nothing of them outlives the process.
 */
export type Spill = {
  put(by: number, text: string): Promise<void>
  /** Once, when all is put. */
  sorted(): AsyncGenerator<{ by: number; text: string }>
  readonly size: number
  close(): Promise<void>
}

type Item = { by: number; text: string }

const HELD_CHARACTERS = 8_000_000
const READ_BYTES = 65_536
const WRITE_CHARACTERS = 262_144

export function spill(heldMax = HELD_CHARACTERS): Spill {
  let held: Item[] = []
  let characters = 0
  let size = 0
  const runs: FileHandle[] = []

  async function flush(): Promise<void> {
    const file = await hiddenFile()
    runs.push(file)
    let text = ''
    for (const item of held.sort((a, b) => a.by - b.by)) {
      text += `${item.by} ${JSON.stringify(item.text)}\n`
      if (text.length > WRITE_CHARACTERS) {
        await file.write(text)
        text = ''
      }
    }
    await file.write(text)
    held = []
    characters = 0
  }

  return {
    async put(by, text) {
      held.push({ by, text })
      size += 1
      characters += text.length + 16
      if (characters > heldMax) await flush()
    },
    async *sorted() {
      const last = held.sort((a, b) => a.by - b.by)
      yield* merge([...runs.map(readRun), fromArray(last)])
    },
    get size() {
      return size
    },
    async close() {
      held = []
      for (const file of runs.splice(0)) await file.close()
    },
  }
}

async function* fromArray(items: Item[]): AsyncGenerator<Item> {
  yield* items
}

async function* readRun(file: FileHandle): AsyncGenerator<Item> {
  const stream = file.readLines({ start: 0, autoClose: false, highWaterMark: READ_BYTES })
  for await (const line of stream) {
    const cut = line.indexOf(' ')
    yield { by: Number(line.slice(0, cut)), text: JSON.parse(line.slice(cut + 1)) as string }
  }
}

/** Earlier runs first among equals: what was put earlier. */
async function* merge(runs: AsyncGenerator<Item>[]): AsyncGenerator<Item> {
  const heads = await Promise.all(runs.map(async (run) => (await run.next()).value as Item | undefined))
  for (;;) {
    let least = -1
    for (const [i, head] of heads.entries()) {
      if (head && (least < 0 || head.by < (heads[least] as Item).by)) least = i
    }
    if (least < 0) return
    yield heads[least] as Item
    heads[least] = (await (runs[least] as AsyncGenerator<Item>).next()).value as Item | undefined
  }
}

/** Readable by us alone; gone with the process, however that ends (on Windows: with the temporary folder). */
async function hiddenFile(): Promise<FileHandle> {
  const folder = mkdtempSync(join(tmpdir(), 'laurel-import-'))
  const file = await open(join(folder, 'run'), 'wx+', 0o600)
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // Windows keeps open files
  }
  return file
}
