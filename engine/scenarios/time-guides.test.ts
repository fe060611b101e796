import { expect, test, vi } from 'vitest'
import { api, made, openCoffee, pass, POUND } from '../../tests/coffee.ts'
import { playGuide } from '../../tests/guide.ts'

/** The guides to holds, refunds, pending points and expiry: their requests are sent as they stand, the clock moved by hand. */
const START = '2027-03-01T12:00:00Z'

openCoffee(START, async () => {
  await made('/v1/earning-rules', POUND)
  const buys = { program: 'coffee', externalId: 'T1', member: 'external:ada', currency: 'GBP' }
  const items = [{ sku: 'beans', quantity: 1, amount: 10_000 }]
  await made('/v1/purchases', { ...buys, occurredAt: START, items })
})

test('the guide to holds and refunds', async () => {
  expect(await playGuide('holds-and-refunds.md', api, pass)).toBe(8)
})

test('the guide to pending and expiry', async () => {
  vi.setSystemTime(START)
  expect(await playGuide('pending-and-expiry.md', api, pass)).toBe(7)
})
