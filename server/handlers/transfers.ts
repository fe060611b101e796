import type { MergeBody, UnmergeBody } from '@laurel/contract/merges'
import type { ConversionBody, TransferBody } from '@laurel/contract/transfers'
import { type Handlers, param } from '../call.ts'
import { submit } from './purchases.ts'

export const transfers: Handlers<'transferPoints' | 'convertPoints' | 'mergeMembers' | 'unmergeMembers'> = {
  transferPoints: (call) =>
    submit(call, { verb: 'transfer', member: param(call, 'member'), ...(call.body as TransferBody) }),
  convertPoints: (call) =>
    submit(call, { verb: 'convert', member: param(call, 'member'), ...(call.body as ConversionBody) }),
  mergeMembers: (call) => submit(call, { verb: 'merge', member: param(call, 'member'), ...(call.body as MergeBody) }),
  unmergeMembers: (call) =>
    submit(call, { verb: 'unmerge', member: param(call, 'member'), ...(call.body as UnmergeBody) }),
}
