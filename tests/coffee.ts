import { afterAll, beforeAll, expect, vi } from 'vitest'
import { createGate, type Gate } from '../engine/gate/gate.ts'
import { passDue } from '../engine/pass-time.ts'
import { verify } from '../engine/verify.ts'
import type { ApiOptions } from '../server/api.ts'
import { addKey, LIVE, openApi, type TestApi } from './api.ts'
import { openDatabase, type TestDatabase } from './database.ts'

export let api: TestApi
export let database: TestDatabase
let gate: Gate

export const POUND = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }

/**
 * An API with the program `coffee`, whose members join by buying, and what `prepare` makes; its clock stands at `now` and is moved
 * by hand. Registers the hooks for it: after the tests nothing was a fault, and verify finds nothing.
 */
export function openCoffee(now: string, prepare: () => Promise<void>, options: Partial<ApiOptions> = {}): void {
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(now) })
    database = await openDatabase()
    await addKey(database, database.space, LIVE)
    api = await openApi(database, options)
    gate = createGate({ pool: database.pool })
    const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
    await made('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
    await prepare()
  })
  afterAll(async () => {
    await gate.close()
    await api.close()
    expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
    vi.useRealTimers()
    expect(api.faults).toEqual([])
  })
}

/** Its answer. */
export async function made(path: string, body: object): Promise<any> {
  const told = await api.call('POST', path, body)
  expect(told.status, told.text).toBe(201)
  return told.body
}

/** Books what time did. */
export const pass = () => passDue(database.pool, gate, database.space, 100)
