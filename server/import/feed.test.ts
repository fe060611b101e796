import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feeder } from './feed.ts'

describe('feeding', () => {
  test('a return waits for all before it of its member, what follows waits for the return; others do not wait', async () => {
    const asks = fc.array(
      fc.record({ member: fc.constantFrom('a', 'b', 'c'), isReturn: fc.boolean(), ms: fc.integer({ min: 0, max: 3 }) }),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(asks, fc.integer({ min: 1, max: 10 }), async (jobs, max) => {
        const feed = feeder(max)
        const began: number[] = []
        const ended: number[] = []
        let underWay = 0
        let most = 0
        for (const [i, { member, isReturn, ms }] of jobs.entries()) {
          await feed.offer({
            member,
            isReturn,
            run: async () => {
              for (let j = 0; j < i; j++) {
                const before = jobs[j]
                if (before?.member === member && (isReturn || before.isReturn)) expect(ended).toContain(j)
                if (before?.member === member) expect(began).toContain(j)
              }
              began.push(i)
              most = Math.max(most, ++underWay)
              await sleep(ms)
              underWay -= 1
              ended.push(i)
            },
          })
        }
        await feed.drain()
        expect(ended).toHaveLength(jobs.length)
        expect(most).toBeLessThanOrEqual(max)
      }),
      { numRuns: 60 },
    )
  })

  test('the first failure comes out, once what is under way has ended; nothing begins after it', async () => {
    const feed = feeder(3)
    const ran: string[] = []
    const job = (member: string, isReturn: boolean, run: () => Promise<void>) =>
      feed.offer({
        member,
        isReturn,
        run: () => {
          ran.push(member)
          return run()
        },
      })
    await job('a', false, async () => {
      await sleep(5)
      throw new Error('no')
    })
    await job('a', true, async () => {})
    await expect(job('b', false, () => sleep(20))).rejects.toThrow('no')
    await expect(job('c', false, async () => {})).rejects.toThrow('no')
    await expect(feed.drain()).rejects.toThrow('no')
    expect(ran).toEqual(['a', 'b'])
  })
})
