import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { duration, progressOn } from './progress.ts'
import { csvCell, refusedFile } from './refused.ts'
import { emptyTally, reportJson, reportText } from './tally.ts'

const folder = mkdtempSync(join(tmpdir(), 'laurel-report-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('progress', () => {
  const show = (isTTY: boolean) => {
    let now = 0
    let text = ''
    const out = Object.assign(new PassThrough(), { isTTY, columns: 100 }).on('data', (chunk) => {
      text += chunk
    })
    const progress = progressOn(out, () => now)
    for (; now <= 20_000; now += 50) progress.show({ doing: 'Importing', rows: now, total: 80_000, share: 0 })
    progress.end()
    return text
  }

  test('is one line on a terminal: share, rows, rate, time left; taken away at the end', () => {
    const frames = show(true).split('\r\u001b[K')
    expect(frames.length).toBeGreaterThan(190)
    expect(frames.at(-2)).toBe(
      'Importing  ██████░░░░░░░░░░░░░░░░░░  25 %  20,000 of 80,000 rows  1,000/s  1 min 00 s left',
    )
    expect(frames.at(-1)).toBe('')
    expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThan(100)
  })

  test('is a line every five seconds elsewhere', () => {
    expect(show(false).trimEnd().split('\n')).toEqual(
      [5, 10, 15, 20].map(
        (s) =>
          `Importing  ${Math.floor(s / 0.8)} %  ${s},000 of 80,000 rows  1,000/s  ${duration((80 - s) * 1000)} left`,
      ),
    )
  })

  test.each([
    [900, '1 s'],
    [59_000, '59 s'],
    [65_000, '1 min 05 s'],
    [7_800_000, '2 h 10 min'],
  ])('%i ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })
})

describe('refused rows', () => {
  test.each([
    ['plain', 'plain'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@x', "'@x"],
    ['\tx', "'\tx"],
    ["'x", "''x"],
    ['a,"b"', '"a,""b"""'],
    ['=a,b', `"'=a,b"`],
    ['\rx', `"'\rx"`],
    ['', ''],
  ])('%j is written %j', (text, cell) => {
    expect(csvCell(text)).toBe(cell)
  })

  test('make a file only when there are some; an old one goes', async () => {
    const path = join(folder, 'sales.csv.refused.csv')
    writeFileSync(path, 'old')
    expect(await (await refusedFile(path)).close()).toBeUndefined()
    expect(existsSync(path)).toBe(false)
    const file = await refusedFile(path)
    for (let line = 2; line < 5_000; line++) file.add('=7', [{ line, code: 'sku_missing', reason: 'The SKU is empty' }])
    expect(await file.close()).toBe(path)
    const lines = readFileSync(path, 'utf8').split('\n')
    expect(lines.slice(0, 2)).toEqual(['line,code,purchase,reason', "2,sku_missing,'=7,The SKU is empty"])
    expect(lines).toHaveLength(5_000)
  })

  test('cannot be written: that is said', async () => {
    const file = await refusedFile(join(folder, 'missing/refused.csv'))
    file.add('1', [{ line: 2, code: 'sku_missing', reason: 'x' }])
    await expect(file.close()).rejects.toThrow(/ENOENT/)
  })
})

describe('the report', () => {
  test('as JSON holds every count, whatever reasons are called', () => {
    const tally = emptyTally()
    tally.skipped.set('__proto__', 3)
    const report = JSON.parse(reportJson(tally, { file: 'x' }))
    expect(Object.entries(report.skipped)).toEqual([['__proto__', 3]])
    expect(report).toMatchObject({ file: 'x', changed: false, rows: 0 })
  })

  test('says that nothing changed, where it stopped, and where refused rows are', () => {
    const tally = emptyTally()
    expect(reportText(tally, { dryRun: false })).toContain('Nothing changed')
    expect(reportText(tally, { dryRun: true })).toContain('nothing was stored')
    tally.stopped = { line: 17, why: 'it was asked to' }
    tally.refused.set('sku_missing', 1234)
    const text = reportText(tally, { dryRun: false, refusedFile: 'r.csv' })
    expect(text).toMatch(/Stopped near line 17/)
    expect(text).toMatch(/refused: sku_missing +1,234 {3}The SKU is empty/)
    expect(text).toContain('Refused rows, with line numbers and reasons: r.csv')
  })
})
