import { randomBytes } from 'node:crypto'
import type { CodePoolBody, CodePoolPatch, GenerateCodesBody, ImportCodesBody } from '@laurel/contract/code-pools'
import { newId } from '@laurel/engine/base/ids'
import { getPool, type RevisedPool } from '@laurel/engine/codes/pools'
import { changePool, createPool } from '@laurel/engine/configure-pools'
import { generateCodes, importCodes } from '@laurel/engine/import-codes'
import { listPools } from '@laurel/engine/views/pools'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'

const fixed = (call: Call) => ({ now: call.now, newId })
const told = (status: number, { pool, revision }: RevisedPool) => revisedAnswer(status, pool, revision)
const chance = () => randomBytes(16).toString('hex')

export const codePools: Handlers<
  'createCodePool' | 'listCodePools' | 'getCodePool' | 'changeCodePool' | 'importCodes' | 'generateCodes'
> = {
  createCodePool: (call) =>
    write(call, async (tx) => told(201, await createPool(tx, call.body as CodePoolBody, fixed(call)))),

  listCodePools: async (call) =>
    answer(
      200,
      await read(call, (db) => listPools(db, call.door.configurations, { program: call.query.program }, pageOf(call))),
    ),

  getCodePool: async (call) => told(200, await read(call, (db) => getPool(db, param(call, 'pool')))),

  changeCodePool: (call) =>
    write(call, async (tx) => {
      const patch = call.body as CodePoolPatch
      return told(200, await changePool(tx, param(call, 'pool'), patch, seenRevision(call), fixed(call)))
    }),

  importCodes: (call) =>
    write(call, async (tx) =>
      answer(200, await importCodes(tx, param(call, 'pool'), (call.body as ImportCodesBody).codes)),
    ),

  generateCodes: (call) =>
    write(call, async (tx) =>
      answer(200, await generateCodes(tx, param(call, 'pool'), call.body as GenerateCodesBody, chance)),
    ),
}
