import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { configurations } from '../earning/configuration.ts'
import { type WalletAnswer, walletsText } from '../gate/answers.ts'
import { createWalletReader } from './wallets.ts'

test('a database that does not answer lets no endless queue grow: the rest are asked to come back', async () => {
  const silent = { connect: () => new Promise(() => {}) } as unknown as pg.Pool
  const reader = createWalletReader(silent, configurations())
  for (let i = 0; i < 10_000; i++) void reader.read(1, `external:${i}`)
  await expect(reader.read(1, 'external:one-more')).rejects.toMatchObject({ refusal: { code: 'overloaded' } })
})

test('a fault fails those who asked together, and nobody after them', async () => {
  let connects = 0
  const failing = {
    connect: () => {
      connects += 1
      return Promise.reject(new Error(`no connection ${connects}`))
    },
  } as unknown as pg.Pool
  const reader = createWalletReader(failing, configurations())
  const asked = await Promise.allSettled([
    reader.read(1, 'external:a'),
    reader.read(1, 'external:b'),
    reader.read(2, 'external:a'),
  ])
  expect(asked.map((answer) => answer.status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(connects).toBe(2)
  await expect(reader.read(1, 'external:c')).rejects.toThrow('no connection 3')
})

test('wallets as text are what JSON makes of them', () => {
  const points = fc.maxSafeInteger()
  const wallet: fc.Arbitrary<WalletAnswer> = fc.record(
    {
      program: fc.constant('coffee-club'),
      wallet: fc.constant('points'),
      available: points,
      pending: points,
      held: points,
      lifetimeEarned: points,
      lifetimeSpent: points,
      lifetimeReversed: points,
      lifetimeExpired: points,
      lifetimeAdjusted: points,
      lifetimeMoved: points,
    },
    { noNullPrototype: true },
  )
  const stamps = fc.tuple(wallet, points).map(([one, n]) => ({ ...one, target: 10, cards: n }))
  fc.assert(
    fc.property(fc.array(fc.oneof(wallet, stamps)), (all) => {
      expect(walletsText(all)).toBe(JSON.stringify(all))
    }),
  )
})
