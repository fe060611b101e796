import { describe, expect, test } from 'vitest'
import { DAY, formatInstant } from '@laurel/contract/instants'
import { readStanding } from './standings.rules.ts'
import type { Kept, Standing } from './tiers.ts'
import { aCourse, at, climber, publish, THREE, times } from './tiers-for-tests.ts'
import { keepBoth } from './versions.rules.ts'

/** What versions of a ladder let stand, of a tier below the one that is held, or that waits. */

const months = { window: { kind: 'calendar', per: 'month' } } as const

test('for ever is for ever, though more was reached when the next version was published, and ended', () => {
  const ann = climber(aCourse({ window: { kind: 'lifetime' } }), '2026-01-01')
  ann.counts(150, '2026-01-05')
  expect(ann.at('2026-01-06')).toEqual(['silver', null])
  publish(ann, '2026-01-10', { ...months, tiers: times(0.5) }, { version: 2, firm: 1, keeping: 2 })
  ann.counts(100, '2026-01-20')
  expect(ann.at('2026-01-21')).toEqual(['gold', '2026-03-01T00:00Z'])
  publish(ann, '2026-01-25', { ...months, tiers: times(3) }, { version: 3, firm: 1, keeping: 2 })
  expect(ann.at('2026-02-28')).toEqual(['gold', '2026-03-01T00:00Z'])
  expect(ann.at('2026-03-01T00:00:00Z')).toEqual(['silver', null])
  ann.counts(-51, '2026-01-05', '2026-05-01')
  expect(ann.at('2026-05-01')).toEqual(['bronze', null])
})

test('the longer end of a lower tier goes along with however many versions are published meanwhile', () => {
  const ann = climber(aCourse(), '2026-01-01')
  ann.counts(100, '2026-02-01')
  expect(ann.at('2026-02-02')).toEqual(['silver', '2028-01-01T00:00Z'])
  publish(ann, '2026-02-03', { ...months, tiers: times(0.2) }, { version: 2, firm: 1, keeping: 2 })
  for (const [version, when] of [
    [3, '2026-02-05'],
    [4, '2026-02-20'],
    [5, '2026-03-10'],
  ] as const) {
    publish(ann, when, { ...months, tiers: times(version) }, { version, firm: 1, keeping: 2 })
    expect(ann.at(when)).toEqual(['gold', '2026-04-01T00:00Z'])
  }
  expect(ann.at('2026-04-01T00:00:00Z')).toEqual(['silver', '2028-01-01T00:00Z'])
  expect(ann.at('2027-12-31')[0]).toBe('silver')
  expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['bronze', null])
})

test('what waits for the end of the window stands, also where only a grace lasts until then', () => {
  const waits = { ...months, upgrade: 'period_end', grace: { period: 'P3M' } } as const
  const ann = climber(aCourse(waits), '2026-01-01')
  ann.counts(100, '2026-01-10') // is held in February, and stands to June
  ann.counts(100, '2026-05-10')
  expect(ann.at('2026-05-11')).toEqual(['silver', '2026-10-01T00:00Z'])
  publish(ann, '2026-05-12', { ...waits, metric: { kind: 'purchases' } }, { version: 2, firm: 1, keeping: 2 })
  expect(ann.at('2026-05-13')).toEqual(['silver', '2026-10-01T00:00Z'])
  expect(ann.at('2026-09-30')[0]).toBe('silver')
  expect(ann.at('2026-10-01T00:00:00Z')).toEqual(['bronze', null])
})

test('two who become one keep what any version told either of them, the longer of the same', () => {
  const standing = { joined: 20_000, from: 20_500, to: 20_600, floor: null }
  const silver: Kept = { version: 1, at: at('2026-01-05'), tier: 'silver', standing }
  const later = { ...silver, until: at('2026-09-01') }
  const ever = { ...silver, version: 2, until: null }
  const kept = (own: Kept[], others: Kept[]) => {
    const one: Pick<Standing, 'kept'> = own.length > 0 ? { kept: own } : {}
    keepBoth(one, others)
    return one.kept
  }
  expect(kept([silver], [later])).toEqual([later])
  expect(kept([later], [silver])).toEqual([later])
  expect(kept([later], [ever])).toEqual([later, ever])
  expect(kept([ever], [{ ...ever, until: at('2026-09-01') }])).toEqual([ever])
  expect(kept([], [later])).toEqual([later])
  expect(kept([], [])).toBeUndefined()
})

test('what a version told goes by what it rests on: what came back prolonged nothing', () => {
  const [less, more] = [climber(aCourse(months), '2026-01-01'), climber(aCourse(months), '2026-01-01')]
  for (const one of [less, more]) {
    one.counts(100, '2026-01-10') // is kept through February
    if (one === more) one.counts(100, '2026-02-05')
    publish(one, '2026-02-06', { ...months, tiers: times(2) }, { version: 2, firm: 1 })
    publish(one, '2026-02-07', { ...months, tiers: times(3) }, { version: 3, firm: 1 })
    expect(one.at('2026-02-08')).toEqual(['silver', one === more ? '2026-04-01T00:00Z' : '2026-03-01T00:00Z'])
    expect(readStanding(JSON.stringify(one.state.standing))).toEqual(one.state.standing)
  }
  more.counts(-100, '2026-02-05', '2026-02-09')
  expect(more.at('2026-02-09')).toEqual(['silver', '2026-03-01T00:00Z'])
  expect(more.at('2026-03-01T00:00:00Z')).toEqual(['bronze', null])
})

describe('where more that is reached begins a window of its own, what was told of the tier before it holds through that', () => {
  const year = { window: { kind: 'rolling', period: 'P1Y' } } as const
  const years = { window: { kind: 'tier_anniversary' } } as const

  test('also where a version asks for less, and lifts somebody to what ends sooner', () => {
    for (const terms of [year, years]) {
      const ann = climber(aCourse(terms), '2026-01-01')
      ann.counts(100, '2026-01-10')
      ann.counts(250, '2026-06-10') // by which silver is reached again, and kept for another year
      expect(ann.at('2026-07-01')).toEqual(['silver', '2028-01-11T00:00Z'])
      publish(ann, '2026-07-10', { ...terms, tiers: times(0.5) }, { version: 2, firm: 1 })
      expect(ann.at('2026-07-11')).toEqual(['gold', '2027-07-11T00:00Z'])
      expect(ann.at('2027-07-11T00:00:00Z')[0]).toBe('silver')
      expect(ann.at('2028-01-10')[0]).toBe('silver')
      expect(ann.at('2029-01-10')).toEqual(['bronze', null])
    }
  })

  test('also where it is reached on the very day on which the next version was published', () => {
    for (const terms of [year, years]) {
      const ann = climber(aCourse(terms), '2026-01-01')
      ann.counts(100, '2026-01-10')
      ann.counts(150, '2026-06-10')
      publish(ann, '2026-07-10T08:00:00Z', { ...terms, tiers: THREE }, { version: 2, firm: 1 })
      ann.counts(400, '2026-07-10T20:00:00Z')
      expect(ann.at('2026-07-11')).toEqual(['gold', '2027-07-11T00:00Z'])
      expect(ann.at('2027-12-31')[0]).toBe('silver')
    }
  })

  test('is kept once a tier, however many versions that ask for no more follow one another while more is bought', () => {
    for (const terms of [year, years]) {
      const ann = climber(aCourse(terms), '2026-01-01')
      for (let version = 2; version < 50; version++) {
        const when = formatInstant(at('2026-01-02') + version * 7 * DAY)
        ann.counts(60, when)
        publish(ann, when, terms, { version, firm: 1 })
        ann.at(when)
        expect(ann.state.standing.kept?.length ?? 0).toBeLessThanOrEqual(2)
      }
      expect(ann.state.tier).toBe('gold')
    }
  })
})

test('what a version told stands beyond the windows of the one that follows, though what it rests on goes through no more of them', () => {
  const quarters = { window: { kind: 'calendar', per: 'quarter' } } as const
  const years = { window: { kind: 'join_anniversary' }, tiers: times(1.5) } as const
  const days = { window: { kind: 'rolling', period: 'P30D' }, tiers: times(1.5) } as const
  const ann = climber(aCourse(quarters), '2026-01-01')
  ann.counts(100, '2026-01-10')
  publish(ann, '2026-05-01', years, { version: 2, firm: 1, keeping: 2 })
  expect(ann.at('2026-05-02')).toEqual(['silver', '2027-01-01T00:00Z'])
  publish(ann, '2026-06-01', days, { version: 3, firm: 1, keeping: 3 })
  ann.counts(298, '2026-06-30') // silver by these days, too
  expect(ann.at('2026-07-20')).toEqual(['silver', '2027-01-01T00:00Z'])
  expect(ann.at('2026-12-31')[0]).toBe('silver')
  expect(ann.at('2027-01-01T00:00:00Z')).toEqual(['bronze', null])
})

test('what a version told is not forgotten for what reached as much since, when that comes back', () => {
  const ann = climber(aCourse(), '2026-01-01')
  ann.counts(100, '2026-03-01')
  publish(ann, '2026-04-01', { tiers: times(3) }, { version: 2, firm: 1 })
  expect(ann.at('2026-04-02')).toEqual(['silver', '2028-01-01T00:00Z'])
  ann.counts(150, '2027-02-18')
  publish(ann, '2027-03-16', { tiers: times(0.6) }, { version: 3, firm: 1 })
  expect(ann.at('2027-03-17')).toEqual(['silver', '2029-01-01T00:00Z'])
  publish(ann, '2027-03-22', { tiers: times(0.6) }, { version: 4, firm: 1 })
  ann.counts(-150, '2027-02-18', '2027-03-26')
  expect(ann.at('2027-03-26')).toEqual(['silver', '2028-01-01T00:00Z'])
  expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['bronze', null])
})

test('nor its grace, on rolling days, where what prolonged it comes back while that would run', () => {
  const terms = { window: { kind: 'rolling', period: 'P90D' }, grace: { period: 'P10D' } } as const
  const ann = climber(aCourse(terms), '2026-01-01')
  ann.counts(100, '2026-01-10')
  publish(ann, '2026-01-20', terms, { version: 2, firm: 1 })
  expect(ann.at('2026-01-21')).toEqual(['silver', '2026-04-21T00:00Z'])
  ann.counts(100, '2026-02-01')
  publish(ann, '2026-02-10', { ...terms, tiers: times(1.5) }, { version: 3, firm: 1 })
  expect(ann.at('2026-02-11')).toEqual(['silver', '2026-07-20T00:00Z'])
  ann.counts(-100, '2026-02-01', '2026-04-15')
  expect(ann.at('2026-04-15')).toEqual(['silver', '2026-04-21T00:00Z'])
  expect(ann.at('2026-04-21T00:00:00Z')).toEqual(['bronze', null])
})
