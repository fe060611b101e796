import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FAR, type Instant, parseInstant } from '@laurel/contract/instants'
import { DEFAULT_SETTINGS, type WalletPatch, walletBody, walletPatch } from '@laurel/contract/wallets'
import { lotDatesOf, slideEnd } from './policies.rules.ts'
import { changedSettings } from './wallets.rules.ts'

const ZONE = 'Europe/London'
const guide = readFileSync(new URL('../../docs/guides/wallets.md', import.meta.url), 'utf8')
/** The JSON blocks, each with the table that follows it before the next. */
const blocks = guide
  .split('```json ')
  .slice(1)
  .map((part) => {
    const [head = '', rest = ''] = part.split(/\n([\s\S]*)/)
    const [json = '', after = ''] = rest.split('\n```\n')
    const rows = [...after.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    return {
      sort: head.split(' ')[0],
      json: JSON.parse(json),
      rows: rows.filter(([cell]) => /^\d{4}-/.test(cell ?? '')),
    }
  })

const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'short' })
const local = (at: Instant) => shown.format(at / 1000)
/** The instant that London's clocks showed so: the earlier, where there are two. */
function instant(text: string): Instant {
  const utc = parseInstant(`${text.replace(' ', 'T')}:00Z`) as Instant
  const found = [utc - 3_600_000_000, utc].find((at) => local(at) === text)
  if (found === undefined) throw new Error(`London's clocks never show ${text}`)
  return found
}

describe('the guide to wallets', () => {
  test('says what the API takes', () => {
    for (const { sort, json } of blocks) {
      const shape = sort === 'wallet' ? walletBody : walletPatch
      expect(shape.safeParse(json).error, JSON.stringify(json)).toBeUndefined()
    }
  })

  const dated = blocks.filter(({ sort, rows }) => sort === 'change' && rows.length > 0)
  test.each(dated)('is right about $json', ({ json, rows }) => {
    const settings = changedSettings(DEFAULT_SETTINGS, json as WalletPatch)
    for (const [bought = '', begins, ends] of rows) {
      const at = instant(bought)
      const { activatesAt, expiresAt } = lotDatesOf(settings, at, at, ZONE)
      expect(activatesAt).toBeLessThan(FAR)
      expect([
        bought,
        activatesAt === at ? 'at once' : local(activatesAt),
        expiresAt === null ? 'never' : local(expiresAt),
      ]).toEqual([bought, begins, ends])
    }
  })

  test('is right about sliding', () => {
    const [block] = blocks.filter(({ sort }) => sort === 'sliding')
    const { expiry } = changedSettings(DEFAULT_SETTINGS, block?.json as WalletPatch)
    expect(block?.rows).toHaveLength(2)
    for (const [seen = '', ends] of block?.rows ?? []) {
      expect(local(slideEnd(expiry, instant(seen), ZONE) as Instant)).toBe(ends)
    }
  })

  test('has a table for every date that it can say', () => {
    const said = dated.flatMap(({ json }) => [json.pending?.kind, json.expiry?.kind]).filter(Boolean)
    expect(new Set(said)).toEqual(new Set(['period', 'until', 'rolling', 'dates', 'on']))
    expect(dated.flatMap(({ rows }) => rows).length).toBeGreaterThan(15)
  })
})
