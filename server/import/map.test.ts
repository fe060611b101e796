import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Fixable } from '../fault.ts'
import { parseMap, readMap } from './map.ts'
import { ROW_CODES } from './row.ts'

const example = readFileSync(join(import.meta.dirname, '../../examples/online-retail/map.json'), 'utf8')
const changed = (change: (map: any) => void): string => {
  const map = JSON.parse(example)
  change(map)
  return JSON.stringify(map)
}

describe('a map', () => {
  test('of the example is one, with a byte order mark too', () => {
    expect(parseMap(example, 'map.json').purchase).toBe('InvoiceNo')
    expect(parseMap(`\ufeff${example}`, 'map.json').purchase).toBe('InvoiceNo')
  })

  test.each<[string, (map: any) => void, RegExp]>([
    [
      'an unknown field',
      (map) => {
        map.purchas = 'x'
      },
      /purchas\w*: unknown field/,
    ],
    [
      'no member',
      (map) => {
        delete map.member
      },
      /member: /,
    ],
    [
      'a zone that is none',
      (map) => {
        map.occurredAt.timezone = 'London'
      },
      /occurredAt\.timezone: "London" is no time zone/,
    ],
    [
      'a format that says nothing',
      (map) => {
        map.occurredAt.format = 'DD.MM.YY'
      },
      /occurredAt\.format: "DD" means nothing/,
    ],
    [
      'a currency that is none',
      (map) => {
        map.currency = { constant: 'QQQ' }
      },
      /currency: "QQQ" is no ISO 4217 code/,
    ],
    [
      'price and amount',
      (map) => {
        map.line.amount = 'x'
      },
      /either amount or unitPrice/,
    ],
    [
      'neither',
      (map) => {
        delete map.line.unitPrice
      },
      /either amount or unitPrice/,
    ],
    [
      'returns told by nothing',
      (map) => {
        map.returns = {}
      },
      /give prefix/,
    ],
    [
      'decimals like thousands',
      (map) => {
        map.numbers = { decimal: ',', group: ',' }
      },
      /decimal and group must differ/,
    ],
    [
      'a delimiter of two',
      (map) => {
        map.file.delimiter = '::'
      },
      /file\.delimiter/,
    ],
  ])('with %s is refused, naming it', (_, change, message) => {
    expect(() => parseMap(changed(change), 'map.json')).toThrow(message)
    expect(() => parseMap(changed(change), 'map.json')).toThrow(Fixable)
  })

  test('lists everything that is wrong at once', () => {
    expect(() => parseMap('{"purchase": 1, "line": {}}', 'map.json')).toThrow(
      /purchase: expected text\n {2}member: required\n {2}occurredAt: required[\s\S]*line\.sku: required/,
    )
  })

  test('that is no JSON, or not there', async () => {
    expect(() => parseMap('{purchase}', 'map.json')).toThrow(/map\.json is not valid JSON/)
    await expect(readMap('/nowhere/map.json')).rejects.toThrow('There is no map /nowhere/map.json.')
  })
})

describe('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/import.md'), 'utf8')

  test("shows the example's map as it is", () => {
    expect(JSON.parse(/```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? '')).toEqual(JSON.parse(example))
  })

  test('explains every code of refused rows', () => {
    for (const code of Object.keys(ROW_CODES)) expect(guide).toContain(`\`${code}\``)
  })
})
