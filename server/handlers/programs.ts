import type { ProgramBody, ProgramPatch } from '@laurel/contract/programs'
import { newId } from '@laurel/engine/base/ids'
import { changeProgram, createProgram, pauseProgram, resumeProgram } from '@laurel/engine/configure-programs'
import { getProgram, listPrograms, type Revised } from '@laurel/engine/programs/programs'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'

const fixed = (call: Call) => ({ now: call.now, newId })
const told = (status: number, { program, revision }: Revised) => revisedAnswer(status, program, revision)

export const programs: Handlers<
  'createProgram' | 'listPrograms' | 'getProgram' | 'changeProgram' | 'pauseProgram' | 'resumeProgram'
> = {
  createProgram: (call) =>
    write(call, async (tx) => told(201, await createProgram(tx, call.body as ProgramBody, fixed(call)))),
  listPrograms: async (call) => answer(200, await read(call, (db) => listPrograms(db, pageOf(call)))),
  getProgram: async (call) => told(200, await read(call, (db) => getProgram(db, param(call, 'program')))),
  changeProgram: (call) =>
    write(call, async (tx) =>
      told(
        200,
        await changeProgram(tx, param(call, 'program'), call.body as ProgramPatch, seenRevision(call), fixed(call)),
      ),
    ),
  pauseProgram: (call) =>
    write(call, async (tx) => told(200, await pauseProgram(tx, param(call, 'program'), fixed(call)))),
  resumeProgram: (call) =>
    write(call, async (tx) => told(200, await resumeProgram(tx, param(call, 'program'), fixed(call)))),
}
