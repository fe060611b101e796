import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY, type Instant, parseInstant } from '@laurel/contract/instants'
import { CATCH_UP, eventOfActivity, type Life, type Listening, momentsDue, nextLook } from './moments.rules.ts'

const at = (text: string): Instant => parseInstant(text) as Instant
const aLife = (differs: Partial<Life> = {}): Life => ({
  member: '019aa000-0000-7000-8000-000000000001',
  joinedAt: at('2020-05-05T12:00:00Z'),
  birthDate: '1985-12-10',
  complete: false,
  changedAt: at('2020-05-05T12:00:00Z'),
  lastActivity: null,
  ...differs,
})
const EVENTS = ['joined', 'birthday', 'anniversary', 'profile_complete', 'inactive:30', 'inactive:365']
const listening = (timezone: string, events = EVENTS): Listening => ({
  timezone,
  events: new Set(events.map((event) => `member:${event}`)),
  inactiveDays: events.flatMap((event) => (event.startsWith('inactive') ? [Number(event.slice(9))] : [])),
})
const due = (life: Life, timezone: string, now: string, event: string) =>
  momentsDue(life, listening(timezone, [event]), at(now)).map(({ which, occurredAt }) => [which, occurredAt])

describe('a birthday', () => {
  test('begins with the local day, and is found late for a month', () => {
    const london = (now: string) => due(aLife(), 'Europe/London', now, 'birthday')
    expect(london('2026-12-09T23:59:59Z')).toEqual([])
    expect(london('2026-12-10T00:00:00Z')).toEqual([['2026', at('2026-12-10T00:00:00Z')]])
    expect(london('2026-12-13T17:00:00Z')).toEqual([['2026', at('2026-12-10T00:00:00Z')]])
    expect(london('2027-01-09T23:00:00Z')).toEqual([['2026', at('2026-12-10T00:00:00Z')]])
    expect(london('2027-01-10T00:00:00Z')).toEqual([])
    expect(due(aLife(), 'Pacific/Kiritimati', '2026-12-09T10:00:00Z', 'birthday')).toHaveLength(1)
    expect(due(aLife(), 'Pacific/Pago_Pago', '2026-12-10T10:59:59Z', 'birthday')).toHaveLength(0)
  })

  test('on a day whose midnight the clocks skip or repeat begins once, where the day does', () => {
    // Beirut's clocks went from 00:00 to 01:00 on 29 March 2026; Havana's went back to 00:00 on 1 November 2026.
    expect(due(aLife({ birthDate: '1990-03-29' }), 'Asia/Beirut', '2026-03-28T22:00:00Z', 'birthday')).toEqual([
      ['2026', at('2026-03-28T22:00:00Z')],
    ])
    expect(due(aLife({ birthDate: '1990-11-01' }), 'America/Havana', '2026-11-01T12:00:00Z', 'birthday')).toEqual([
      ['2026', at('2026-11-01T04:00:00Z')],
    ])
  })

  test('on 29 February is on the 28th in years without it', () => {
    const leapling = aLife({ birthDate: '2000-02-29' })
    expect(due(leapling, 'UTC', '2027-02-28T00:00:00Z', 'birthday')).toEqual([['2027', at('2027-02-28T00:00:00Z')]])
    expect(due(leapling, 'UTC', '2028-02-28T12:00:00Z', 'birthday')).toEqual([])
    expect(due(leapling, 'UTC', '2028-02-29T00:00:00Z', 'birthday')).toEqual([['2028', at('2028-02-29T00:00:00Z')]])
  })

  test('is none on the day of birth, nor before the day of joining', () => {
    expect(due(aLife({ birthDate: '2026-06-01' }), 'UTC', '2026-06-02T00:00:00Z', 'birthday')).toEqual([])
    const new1 = aLife({ birthDate: '1990-06-01', joinedAt: at('2026-06-01T18:00:00Z') })
    expect(due(new1, 'UTC', '2026-06-01T18:00:01Z', 'birthday')).toHaveLength(1)
    const new2 = aLife({ birthDate: '1990-06-01', joinedAt: at('2026-06-02T18:00:00Z') })
    expect(due(new2, 'UTC', '2026-06-02T18:00:01Z', 'birthday')).toEqual([])
  })
})

test('an anniversary is of the local day of joining', () => {
  const late = aLife({ joinedAt: at('2024-02-28T23:30:00Z') })
  expect(due(late, 'Europe/London', '2025-02-28T12:00:00Z', 'anniversary')).toEqual([['1', at('2025-02-28T00:00:00Z')]])
  // in Berlin it was the 29th already
  expect(due(late, 'Europe/Berlin', '2025-02-28T12:00:00Z', 'anniversary')).toEqual([['1', at('2025-02-27T23:00:00Z')]])
  expect(due(late, 'Europe/Berlin', '2028-02-29T12:00:00Z', 'anniversary')).toEqual([['4', at('2028-02-28T23:00:00Z')]])
})

test('joining and a complete profile are due at once', () => {
  const now = '2026-06-01T12:00:00Z'
  const fresh = aLife({ joinedAt: at(now), changedAt: at(now), complete: true })
  expect(due(fresh, 'UTC', now, 'joined')).toEqual([['1', at(now)]])
  expect(due(fresh, 'UTC', now, 'profile_complete')).toEqual([['1', at(now)]])
  expect(due({ ...fresh, complete: false }, 'UTC', now, 'profile_complete')).toEqual([])
})

test('a silence is counted in local days from the last activity, and is another one after the next', () => {
  const quiet = (last: string, now: string) =>
    due(aLife({ lastActivity: at(last) }), 'Europe/London', now, 'inactive:30')
  // the clocks went forward in between: the same time of day
  expect(quiet('2026-03-10T12:00:00Z', '2026-04-09T10:59:59Z')).toEqual([])
  const [[first] = []] = quiet('2026-03-10T12:00:00Z', '2026-04-09T11:00:00Z')
  const [[second] = []] = quiet('2026-04-20T12:00:00Z', '2026-05-20T12:00:00Z')
  expect(first).toBe(`30:${at('2026-03-10T12:00:00Z')}`)
  expect(second).not.toBe(first)
  expect(due(aLife(), 'UTC', '2020-06-04T12:00:00Z', 'inactive:30')).toHaveLength(1) // never active: since joining
})

test('rules are asked about what an activity or a moment is', () => {
  expect(eventOfActivity('review', { days: 3 })).toBe('activity:review')
  expect(eventOfActivity('member.birthday', {})).toBe('member:birthday')
  expect(eventOfActivity('member.inactive', { days: 30 })).toBe('member:inactive:30')
})

const ZONES = ['UTC', 'Europe/London', 'Asia/Beirut', 'America/Havana', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']

test('going from look to look, every moment is found as soon as it is there, and each once', () => {
  const instant = fc.integer({ min: at('2023-12-25T00:00:00Z') / DAY, max: at('2025-03-05T00:00:00Z') / DAY })
  const life = fc.record({
    joinedAt: instant.map((day) => Math.floor((day + 0.37) * DAY)),
    birthDate: fc.constantFrom(null, '1985-12-10', '2000-02-29', '1999-12-31', '1999-01-01', '1990-03-29'),
    quiet: fc.option(fc.integer({ min: 0, max: 300 })),
  })
  const program = fc.record({ zone: fc.constantFrom(...ZONES), events: fc.subarray(EVENTS, { minLength: 1 }) })
  fc.assert(
    fc.property(life, fc.array(program, { minLength: 1, maxLength: 3 }), (said, programs) => {
      const { joinedAt, birthDate, quiet } = said
      const lastActivity = quiet === null ? null : joinedAt + quiet * DAY
      const one = aLife({ joinedAt, birthDate, changedAt: joinedAt, complete: true, lastActivity })
      const all = programs.map(({ zone, events }) => listening(zone, events))
      const until = joinedAt + 800 * DAY
      const found = new Map<string, number>()
      for (let now = joinedAt, looks = 0; now < until; now = nextLook(one, all, now), looks++) {
        expect(looks).toBeLessThan(150)
        for (const [i, each] of all.entries())
          for (const { type, which, occurredAt } of momentsDue(one, each, now)) {
            const name = `${i} ${type} ${which}`
            if (!found.has(name)) expect([name, now]).toEqual([name, occurredAt]) // on time
            found.set(name, occurredAt)
          }
      }
      // a look every day finds nothing more
      for (let now = joinedAt; now < until - DAY; now += DAY)
        for (const [i, each] of all.entries())
          for (const { type, which } of momentsDue(one, each, now))
            expect(found.keys()).toContain(`${i} ${type} ${which}`)
    }),
    { numRuns: 40 },
  )
})

test('a moment that nobody was there to find for longer than a month is let go', () => {
  const missed = at('2026-12-10T00:00:00Z') + CATCH_UP
  expect(momentsDue(aLife(), listening('UTC', ['birthday']), missed - 1)).toHaveLength(1)
  expect(momentsDue(aLife(), listening('UTC', ['birthday']), missed)).toEqual([])
})
