import { describe, expect, test } from 'vitest'
import { aCourse, at, type Climber, climber, THREE, times } from './tiers-for-tests.ts'

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

  test('rolling: more that is reached on the last day of a tier, and comes back on it, leaves that day to the tier', () => {
    const ann = climber(aCourse({ window: { kind: 'rolling', period: 'P30D' } }), '2026-01-01')
    ann.counts(100, '2026-02-01')
    ann.counts(500, '2026-03-03')
    expect(ann.at('2026-03-03')[0]).toBe('gold')
    ann.counts(-500, '2026-03-03', '2026-03-03')
    expect(ann.at('2026-03-03')).toEqual(['silver', '2026-03-04T00:00Z'])
    expect(ann.at('2026-03-04')[0]).toBe('bronze')
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

describe('what waits for the end of the window is held when a grace ends that lasts until then', () => {
  const grace = { period: 'P5D', roundUp: 'month' } as const
  const months = {
    window: { kind: 'calendar', per: 'month' },
    upgrade: 'period_end',
    grace,
    noticeDays: 7,
  } as const

  test('so that end is not told of the same tier', () => {
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(100, '2026-01-10') // silver in February, and by its grace in March
    ann.counts(100, '2026-03-10')
    expect(ann.at('2026-03-28')).toEqual(['silver', '2026-06-01T00:00Z'])
    expect(ann.told.filter(({ kind }) => kind === 'ending')).toEqual([])
    expect(ann.at('2026-05-31')[0]).toBe('silver')
    expect(ann.at('2026-06-01T00:00:00Z')[0]).toBe('bronze')
  })

  test('and of a higher one it is told as what comes next', () => {
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(500, '2026-01-10')
    ann.counts(100, '2026-03-10')
    expect(ann.at('2026-03-28')).toEqual(['gold', '2026-04-01T00:00Z'])
    expect(ann.told.at(-1)).toEqual({ kind: 'ending', until: at('2026-04-01T00:00:00Z'), to: 'silver' })
    expect(ann.at('2026-04-01T00:00:00Z')).toEqual(['silver', '2026-06-01T00:00Z'])
  })
})

describe('years of a tier are worked out again', () => {
  const years = { window: { kind: 'tier_anniversary' } } as const
  const publish = (one: Climber, when: string, factor: number, version: number, firm: number) => {
    one.course = aCourse({ ...years, tiers: times(factor) }, { publishedAt: at(when), version, firm })
  }

  test('all of them by a version that everybody is held against, whatever came back of what they counted', () => {
    const [less, more] = [climber(aCourse(years), '2026-01-01'), climber(aCourse(years), '2026-01-01')]
    for (const one of [less, more]) {
      one.counts(158, '2026-03-04')
      publish(one, '2026-03-04T20:00:00Z', 1.5, 2, 2)
      one.counts(67, '2026-03-05')
      if (one === more) one.counts(683, '2026-03-05')
      publish(one, '2026-03-06T20:00:00Z', 2.25, 3, 3)
    }
    more.counts(-683, '2026-03-05', '2026-03-07')
    // by the third version silver was reached on the fifth, and its year begins on the sixth
    expect(less.at('2026-03-07')).toEqual(['silver', '2027-03-06T00:00Z'])
    expect(more.at('2026-03-07')).toEqual(less.at('2026-03-07'))
  })

  test.each([
    ['2026-08-02', '2026-08-26'],
    ['2026-08-26', '2026-08-26'],
  ])('and what was reached on the day of a publication begins one, bought on %s and back on %s', (bought, back) => {
    const [less, more] = [climber(aCourse(years), '2026-01-01'), climber(aCourse(years), '2026-01-01')]
    for (const one of [less, more]) {
      one.counts(100, '2026-03-04')
      one.counts(251, '2026-03-05')
      if (one === more && bought < back) one.counts(1, bought)
      one.counts(249, '2026-08-25') // gold
      publish(one, '2026-08-25T20:00:00Z', 3, 2, 1)
    }
    if (bought === back) more.counts(1, bought)
    more.counts(-1, bought, back)
    expect(more.at('2026-08-27')).toEqual(less.at('2026-08-27'))
    expect(more.at('2026-12-27')).toEqual(['gold', '2027-08-26T00:00Z'])
  })
})
