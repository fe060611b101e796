import { z } from 'zod'
import { instant, memberRef, pointsOut, text } from './common.ts'
import { walletAnswer } from './points.ts'

export const mergeBody = z.strictObject({ from: memberRef, reason: text(500) }).meta({ id: 'MergeBody' })
export type MergeBody = z.infer<typeof mergeBody>

export const unmergeBody = z.strictObject({ from: memberRef, reason: text(500) }).meta({ id: 'UnmergeBody' })
export type UnmergeBody = z.infer<typeof unmergeBody>

/** moved: what came with `from` (undone: what went back), a wallet each; below zero: a debt. */
export const mergeAnswer = z
  .object({
    id: z.string(),
    member: z.string(),
    from: z.string(),
    reason: z.string(),
    mergedAt: instant,
    undoneAt: instant.nullable(),
    moved: z.array(z.object({ program: z.string(), wallet: z.string(), points: pointsOut })),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Merge' })
