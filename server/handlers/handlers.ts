import type { Handlers } from '../call.ts'
import type { OperationId } from '@laurel/contract/operations'
import { earningRules } from './earning-rules.ts'
import { points } from './points.ts'
import { programs } from './programs.ts'
import { purchases } from './purchases.ts'

/** What answers each operation. */
export const HANDLERS: Handlers<OperationId> = { ...programs, ...earningRules, ...purchases, ...points } as Handlers<OperationId>
