import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type CsvError, parse } from 'csv-parse'
import { Fixable } from '../fault.ts'
import type { ImportMap } from './map.ts'

/** One record of the file and the number of the line on which it begins. */
export type Row = { line: number; cells: string[] }

/** How far the reading is, in bytes of the file as it lies on the disk. */
export type Reading = { bytes: number; size: number }

export type Source = {
  path: string
  file: ImportMap['file']
  /** Called as the file is read. */
  onRead?: (reading: Reading) => void
}

/** A record longer than this has lost a quote. */
const RECORD_BYTES_MAX = 1_000_000
const CHUNK_BYTES = 65_536

/**
 * The records of a CSV file, gzipped or not (told by its first bytes), in batches of a chunk of the file each: whatever
 * the size of the file, a chunk's worth is in memory. The first record is the header. Empty lines are no records; CR LF
 * inside a quoted cell is read as LF. A misplaced quote, a record without end and a truncated gzip are Fixable: where
 * records begin cannot be known after them.
 */
export async function* readRows(source: Source): AsyncGenerator<Row[]> {
  const { path, file } = source
  let batch: Row[] = []
  let ended = 0
  let empties = 0
  const parser = parse({
    bom: false,
    encoding: 'utf8',
    record_delimiter: ['\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    delimiter: file?.delimiter ?? ',',
    max_record_size: RECORD_BYTES_MAX,
    relax_quotes: file?.quotes === 'relaxed',
    ...(file?.quotes === 'none' ? { quote: null, escape: null } : {}),
    on_record(cells: string[], context) {
      batch.push({ line: ended + 1 + context.empty_lines - empties, cells })
      ended = context.lines
      empties = context.empty_lines
      return null
    },
  })
  parser.on('error', () => {}) // comes back from write and end
  try {
    for await (const chunk of utf8(source)) {
      await new Promise<void>((done, fail) => parser.write(chunk, (error) => (error ? fail(error) : done())))
      if (batch.length > 0) yield batch
      batch = []
    }
    await new Promise<void>((done, fail) => {
      parser.once('error', fail)
      parser.end(done)
    })
    if (batch.length > 0) yield batch
  } catch (error) {
    throw explain(error as Error, path)
  } finally {
    parser.destroy()
  }
}

function explain(error: Error & { code?: string; lines?: number }, path: string): Error {
  if (error instanceof Fixable) return error
  const at = `${path}, line ${(error as Partial<CsvError> & { lines?: number }).lines ?? '?'}`
  switch (error.code) {
    case 'CSV_MAX_RECORD_SIZE':
      return new Fixable(`${at}: a record of more than ${RECORD_BYTES_MAX} bytes. Is a quote missing near there?`)
    case 'CSV_QUOTE_NOT_CLOSED':
      return new Fixable(`${at}: the file ends inside a quoted cell. Is a quote missing, or the end of the file?`)
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return new Fixable(
        `${at}: a quote in the middle of a cell. Nothing was stored. If the file does not quote as RFC 4180 ` +
          'says, put "file": {"quotes": "relaxed"} (or "none") in the map.',
      )
    case 'Z_BUF_ERROR':
    case 'Z_DATA_ERROR':
      return new Fixable(`${path} is not a whole gzip file (${error.message}). Was the copy cut short?`)
    case 'ENOENT':
      return new Fixable(`There is no file ${path}.`)
    case 'EACCES':
      return new Fixable(`The file ${path} may not be read by this user.`)
    case 'EISDIR':
      return new Fixable(`${path} is a folder.`)
    default:
      return error
  }
}

/** The file's text as UTF-8 with LF line ends, without byte order mark. Bytes that are no UTF-8 stay as they are. */
async function* utf8(source: Source): AsyncGenerator<Buffer> {
  let decode: ((chunk: Buffer, last: boolean) => Buffer) | undefined
  const unix = unixLines()
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of bytes(source)) {
    if (decode) yield unix(decode(chunk, false), false)
    else {
      head = Buffer.concat([head, chunk])
      if (head.length < MARK_BYTES_MAX) continue
      decode = decoder(head, source)
      yield unix(decode(head.subarray(markLength(head)), false), false)
    }
  }
  const rest = decode ? Buffer.alloc(0) : head.subarray(markLength(head))
  yield unix((decode ?? decoder(head, source))(rest, true), true)
}

const MARK_BYTES_MAX = 3

function encodingOf(head: Buffer): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 'utf-8' : undefined
}

function markLength(head: Buffer): number {
  const found = encodingOf(head)
  return found === undefined ? 0 : found === 'utf-8' ? 3 : 2
}

function decoder(head: Buffer, { file }: Source): (chunk: Buffer, last: boolean) => Buffer {
  const encoding = encodingOf(head) ?? file?.encoding ?? 'utf-8'
  if (encoding === 'utf-8') return (chunk) => chunk
  const text = new TextDecoder(encoding, { ignoreBOM: true })
  return (chunk, last) => Buffer.from(text.decode(chunk, { stream: !last }), 'utf8')
}

const CR = 13
const LF = 10

/** CR LF becomes LF, also where a chunk ends between the two. */
function unixLines(): (chunk: Buffer, last: boolean) => Buffer {
  let held = false
  return (chunk, last) => {
    const whole = held ? Buffer.concat([Buffer.from([CR]), chunk]) : chunk
    held = !last && whole.at(-1) === CR
    const end = held ? whole.length - 1 : whole.length
    let from = whole.indexOf(CR)
    if (from < 0 || from >= end) return whole.subarray(0, end)
    const out = Buffer.allocUnsafe(end)
    whole.copy(out, 0, 0, from)
    let to = from
    for (; from < end; from++) {
      const byte = whole[from] as number
      if (byte !== CR || whole[from + 1] !== LF) out[to++] = byte
    }
    return out.subarray(0, to)
  }
}

/** The file's bytes, unpacked where they are gzipped. */
async function* bytes({ path, onRead }: Source): AsyncGenerator<Buffer> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const magic = Buffer.alloc(2)
    await handle.read(magic, 0, 2, 0)
    const raw = counted(
      handle.createReadStream({ start: 0, autoClose: false, highWaterMark: CHUNK_BYTES }),
      size,
      onRead,
    )
    if (magic[0] !== 0x1f || magic[1] !== 0x8b) yield* raw
    else yield* pipeline(raw, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) as AsyncIterable<Buffer>
  } finally {
    await handle.close()
  }
}

async function* counted(stream: AsyncIterable<Buffer>, size: number, onRead: Source['onRead']): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of stream) {
    onRead?.({ bytes: (bytes += chunk.length), size })
    yield chunk
  }
}
