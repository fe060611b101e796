import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'

/** Counts a key's requests in this process; the headers say what is left. Refuses with rate_limited. */
export type Limits = {
  /** whether anything is counted */
  counts: boolean
  take(key: Uuid): Promise<Readonly<Record<string, string>>>
}

const NONE: Readonly<Record<string, string>> = Object.freeze({})

/** `perSecond`: how many requests a key may make in a second. The headers are those of the IETF draft. */
export function createLimits(perSecond: number | 'off'): Limits {
  if (perSecond === 'off') return { counts: false, take: async () => NONE }
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 })
  const policy = `"key";q=${perSecond};w=1`
  const headers = (left: RateLimiterRes) => ({
    'ratelimit-policy': policy,
    ratelimit: `"key";r=${left.remainingPoints};t=${Math.max(1, Math.ceil(left.msBeforeNext / 1000))}`,
  })
  return {
    counts: true,
    async take(key) {
      try {
        return headers(await limiter.consume(key))
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        throw new Limited(perSecond, headers(error))
      }
    },
  }
}

/** A refusal that brings its headers along. */
export class Limited extends Refused {
  readonly headers: Readonly<Record<string, string>>
  constructor(perSecond: number, headers: Record<string, string>) {
    super('rate_limited', `a key may make ${perSecond} requests a second`)
    this.headers = headers
  }
}
