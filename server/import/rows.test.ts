import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { Fixable } from '../fault.ts'
import { readRows, type Source } from './rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-rows-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0

async function read(content: string | Buffer, file?: Source['file']): Promise<[number, ...string[]][]> {
  const path = join(folder, `${++made}.csv`)
  writeFileSync(path, content)
  const rows: [number, ...string[]][] = []
  for await (const batch of readRows({ path, file })) for (const row of batch) rows.push([row.line, ...row.cells])
  return rows
}

describe('CSV files as they come', () => {
  test.each<[string, string, [number, ...string[]][]]>([
    [
      'plain',
      'a,b\n1,2\n',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    [
      'no line end at the end',
      'a,b\n1,2',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    [
      'Windows line ends',
      'a,b\r\n1,2\r\n3,4\r\n',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
        [3, '3', '4'],
      ],
    ],
    [
      'both kinds of line ends',
      'a,b\r\n1,2\n3,4\r\n',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
        [3, '3', '4'],
      ],
    ],
    [
      'old Macintosh line ends',
      'a,b\r1,2\r',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
      ],
    ],
    [
      'comma in quotes',
      'a,b\n"x, y",2\n',
      [
        [1, 'a', 'b'],
        [2, 'x, y', '2'],
      ],
    ],
    [
      'quotes in quotes',
      'a,b\n"say ""hi""",2\n',
      [
        [1, 'a', 'b'],
        [2, 'say "hi"', '2'],
      ],
    ],
    [
      'line ends in quotes',
      'a,b\n"x\r\ny\nz",2\n3,4\n',
      [
        [1, 'a', 'b'],
        [2, 'x\ny\nz', '2'],
        [5, '3', '4'],
      ],
    ],
    [
      'empty lines',
      'a,b\n\n\n1,2\n\n3,4\n',
      [
        [1, 'a', 'b'],
        [4, '1', '2'],
        [6, '3', '4'],
      ],
    ],
    [
      'empty cells',
      'a,b,c\n,,\n"",,""\n',
      [
        [1, 'a', 'b', 'c'],
        [2, '', '', ''],
        [3, '', '', ''],
      ],
    ],
    [
      'too few and too many cells',
      'a,b\n1\n1,2,3\n',
      [
        [1, 'a', 'b'],
        [2, '1'],
        [3, '1', '2', '3'],
      ],
    ],
    [
      'a header twice, and an evil one',
      'a,a,__proto__\n1,2,3\n',
      [
        [1, 'a', 'a', '__proto__'],
        [2, '1', '2', '3'],
      ],
    ],
    [
      'a NUL',
      'a,b\n1\0,2\n',
      [
        [1, 'a', 'b'],
        [2, '1\0', '2'],
      ],
    ],
    [
      'JSON in a cell',
      'a,b\n"{""k"": [1, ""x""]}",2\n',
      [
        [1, 'a', 'b'],
        [2, '{"k": [1, "x"]}', '2'],
      ],
    ],
    [
      'letters of all kinds',
      'a,b\nʤ,日本 🎁\n',
      [
        [1, 'a', 'b'],
        [2, 'ʤ', '日本 🎁'],
      ],
    ],
    [
      'spaces stay',
      'a, b\n 1 ,2\n',
      [
        [1, 'a', ' b'],
        [2, ' 1 ', '2'],
      ],
    ],
    [
      'one column',
      'a\n1\n2\n',
      [
        [1, 'a'],
        [2, '1'],
        [3, '2'],
      ],
    ],
    ['a header alone', 'a,b\n', [[1, 'a', 'b']]],
    ['nothing', '', []],
    ['one byte', 'a', [[1, 'a']]],
  ])('%s', async (_, content, expected) => {
    expect(await read(content)).toEqual(expected)
    expect(await read(gzipSync(content))).toEqual(expected)
    expect(await read(`\ufeff${content}`)).toEqual(expected)
    expect(await read(Buffer.from(`\ufeff${content}`, 'utf16le'))).toEqual(expected)
    expect(await read(Buffer.from(`\ufeff${content}`, 'utf16le').swap16())).toEqual(expected)
    expect(await read(Buffer.from(content, 'utf16le'), { encoding: 'utf-16le' })).toEqual(expected)
  })

  test('other delimiters and no quotes, when the map says so', async () => {
    expect(await read('a;b\n"1;2";3\n', { delimiter: ';' })).toEqual([
      [1, 'a', 'b'],
      [2, '1;2', '3'],
    ])
    expect(await read('a\tb\n1,5\t3\n', { delimiter: '\t' })).toEqual([
      [1, 'a', 'b'],
      [2, '1,5', '3'],
    ])
    expect(await read('a,b\n12" pipe,2\n', { quotes: 'none' })).toEqual([
      [1, 'a', 'b'],
      [2, '12" pipe', '2'],
    ])
    expect(await read('a,b\n12" pipe,"x, y"\n', { quotes: 'relaxed' })).toEqual([
      [1, 'a', 'b'],
      [2, '12" pipe', 'x, y'],
    ])
  })

  test('Windows-1252, when the map says so; else its bytes are marked as lost', async () => {
    const bytes = Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0x80, 0xfc, 0x2c, 0x32, 0x0a])
    expect(await read(bytes, { encoding: 'windows-1252' })).toEqual([
      [1, 'a', 'b'],
      [2, '€ü', '2'],
    ])
    expect(await read(bytes)).toEqual([
      [1, 'a', 'b'],
      [2, '\ufffd\ufffd', '2'],
    ])
  })

  test('wherever chunks of the file end, the rows are the same', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i},"ü, ""x""\r\n日本 ${'y'.repeat(i % 7)}"`)
    const rows = await read(`a,b\r\n${lines.join('\r\n')}`)
    expect(rows).toHaveLength(40_001)
    expect(
      rows.every(
        ([line, n, text], i) =>
          i === 0 || (line === 2 * i && n === String(i - 1) && text === `ü, "x"\n日本 ${'y'.repeat((i - 1) % 7)}`),
      ),
    ).toBe(true)
  })

  test.each<[string, string | Buffer, RegExp]>([
    ['a quote in a cell', 'a,b\n1,2\n3,4"5\n', /line 3: a quote in the middle of a cell/],
    ['text after a quote', 'a,b\n1,2\n3,"4"5\n', /line 3: a quote in the middle of a cell/],
    ['a quote that is not closed', 'a,b\n1,"2\n3,4\n', /ends inside a quoted cell/],
    ['a line without end', `a,b\n1,2\n3,${'x'.repeat(1_100_000)}`, /line 3: a record of more than 1000000 bytes/],
    ['a gzip that was cut off', gzipSync(`a,b\n${'1,2\n'.repeat(5_000)}`).subarray(0, 60), /not a whole gzip file/],
  ])('%s stops it, naming the line', async (_, content, message) => {
    const reading = read(content)
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toThrow(Fixable)
  })

  test('a file that is not there, a folder', async () => {
    const gone = readRows({ path: join(folder, 'gone.csv'), file: undefined })
    await expect(gone.next()).rejects.toThrow(/There is no file .*gone\.csv/)
    await expect(readRows({ path: folder, file: undefined }).next()).rejects.toThrow(/is a folder/)
  })
})
