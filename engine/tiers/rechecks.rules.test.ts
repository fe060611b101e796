import { describe, expect, test } from 'vitest'
import { aCourse, climber, THREE } from './tiers-for-tests.ts'

describe('what comes back, or is told late', () => {
  test('rolling: something else that comes back takes nothing that was handed on; nor does another name of the ladder', () => {
    const window = { kind: 'rolling', period: 'P30D' } as const
    for (const [downgrade, tier] of [
      ['none', 'gold'],
      ['one_level', 'silver'],
    ] as const) {
      const ann = climber(aCourse({ window, downgrade }), '2026-01-01')
      ann.counts(500, '2026-02-01')
      expect(ann.at('2026-03-20')[0]).toBe(tier)
      ann.counts(10, '2026-03-20')
      ann.counts(-10, '2026-03-20', '2026-03-21')
      expect(ann.at('2026-03-21')[0]).toBe(tier)
      ann.course = aCourse({ window, downgrade, name: 'New' }, { version: 2, firm: 2 })
      expect(ann.at('2026-03-22')[0]).toBe(tier)
    }
  })

  test('rolling: what was bought and came back prolongs nothing', () => {
    const window = { kind: 'rolling', period: 'P30D' } as const
    const ann = climber(aCourse({ window }), '2026-01-01')
    ann.counts(100, '2026-02-01')
    ann.counts(500, '2026-02-20')
    ann.counts(-500, '2026-02-20', '2026-02-21')
    expect(ann.at('2026-02-21')).toEqual(['silver', '2026-03-04T00:00Z'])
    const bob = climber(aCourse({ window }), '2026-01-01')
    bob.counts(500, '2026-02-01')
    bob.counts(-400, '2026-02-01', '2026-02-28')
    expect(bob.at('2026-02-28')).toEqual(['silver', '2026-03-04T00:00Z'])
  })

  test('a grace of before stands, whatever the window before is told late', () => {
    const terms = { window: { kind: 'calendar', per: 'month' }, grace: { period: 'P3M' } } as const
    const ann = climber(aCourse(terms), '2026-01-01')
    ann.counts(500, '2026-01-10')
    expect(ann.at('2026-04-02')).toEqual(['gold', '2026-06-01T00:00Z'])
    ann.counts(10, '2026-03-31', '2026-04-02')
    expect(ann.at('2026-04-02')).toEqual(['gold', '2026-06-01T00:00Z'])
  })

  test('the year of a tier that was never reached did not begin: what else was bought counts on', () => {
    for (const back of ['2026-02-10', '2026-02-12']) {
      const ann = climber(aCourse({ window: { kind: 'tier_anniversary' } }), '2026-01-01')
      ann.counts(60, '2026-02-01')
      ann.counts(50, '2026-02-10')
      ann.counts(-50, '2026-02-10', back)
      expect(ann.at('2026-02-12')).toEqual(['bronze', null])
      ann.counts(40, '2026-02-13')
      expect(ann.at('2026-02-13')).toEqual(['silver', '2027-02-14T00:00Z'])
    }
  })
})

test('grace of the tier above that ends with a window leaves the one below its own', () => {
  const terms = {
    window: { kind: 'calendar', per: 'month' },
    downgrade: 'one_level',
    grace: { period: 'P1M' },
  } as const
  const ann = climber(aCourse(terms), '2026-01-01')
  ann.counts(500, '2026-01-10')
  expect(ann.at('2026-03-02')).toEqual(['gold', '2026-04-01T00:00Z'])
  expect(ann.at('2026-04-02')).toEqual(['silver', '2026-05-01T00:00Z'])
  expect(ann.at('2026-05-02')).toEqual(['bronze', null])
})

describe('a new version', () => {
  const higher = THREE.map((tier) => ({ ...tier, threshold: tier.threshold * 2 }))

  test('that lets all keep what they hold neither ends nor prolongs a grace, however late it is seen', () => {
    const grace = { period: 'P1M' } as const
    for (const [seen, held] of [
      ['2028-01-11', ['gold', '2028-02-01T00:00Z']],
      ['2028-02-11', ['bronze', null]],
    ] as const) {
      const ann = climber(aCourse({ grace }), '2026-01-01')
      ann.counts(500, '2026-01-10')
      expect(ann.at('2028-01-10')).toEqual(['gold', '2028-02-01T00:00Z'])
      ann.course = aCourse({ grace, name: 'New' }, { version: 2, firm: 1 })
      expect(ann.at(seen)).toEqual(held)
    }
  })

  test('that lets all keep what they hold does so for a lifetime, until one that does not', () => {
    const window = { kind: 'lifetime' } as const
    const ann = climber(aCourse({ window }), '2026-01-01')
    ann.counts(150, '2026-02-01')
    ann.course = aCourse({ window, tiers: higher }, { version: 2, firm: 1 })
    expect(ann.at('2030-03-01')).toEqual(['silver', null])
    ann.course = aCourse({ window, tiers: higher }, { version: 3, firm: 3 })
    expect(ann.at('2030-03-02')).toEqual(['bronze', null])
  })
})

test('what comes back raises nothing, though days are worked out again on which more is known by now', () => {
  const rolling = { window: { kind: 'rolling', period: 'P30D' }, downgrade: 'none' } as const
  const ann = climber(aCourse(rolling), '2026-01-01')
  ann.counts(4, '2026-01-05')
  ann.counts(96, '2026-02-03')
  expect(ann.at('2026-02-19')[0]).toBe('silver')
  ann.counts(496, '2026-01-01', '2026-02-20') // too late for gold of 5 January
  ann.counts(-1, '2026-02-03', '2026-02-20')
  expect(ann.at('2026-02-20')[0]).toBe('silver')
})
