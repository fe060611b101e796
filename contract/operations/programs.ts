import { list } from '../common.ts'
import { programAnswer, programBody, programPatch } from '../programs.ts'
import { one, paged, pages } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
import type { Operation } from '../operation.ts'

export const programs = [
  {
    id: 'createProgram',
    method: 'POST',
    path: '/v1/programs',
    scope: 'programs:write',
    summary: 'Make a program',
    description: 'A program starts with the wallet `points`. Its slug and currency never change.',
    body: programBody,
    answers: one(programAnswer, 'The program', 201),
    refusals: ['already_exists'],
    idempotent: true,
    etag: true,
    examples: { body: E.programBody, answer: E.program },
  },
  {
    id: 'listPrograms',
    method: 'GET',
    path: '/v1/programs',
    scope: 'programs:read',
    summary: 'List programs',
    query: pages,
    answers: one(list(programAnswer), 'A page of programs, oldest first'),
    refusals: ['invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.program) },
  },
  {
    id: 'getProgram',
    method: 'GET',
    path: '/v1/programs/{program}',
    scope: 'programs:read',
    summary: 'Read a program',
    answers: one(programAnswer, 'The program'),
    refusals: ['program_unknown'],
    idempotent: false,
    etag: true,
    examples: { answer: E.program },
  },
  {
    id: 'changeProgram',
    method: 'PATCH',
    path: '/v1/programs/{program}',
    scope: 'programs:write',
    summary: 'Change a program',
    body: programPatch,
    answers: one(programAnswer, 'The program after it'),
    refusals: ['program_unknown', 'etag_mismatch'],
    idempotent: false,
    etag: true,
    examples: { body: { name: 'Coffee & Cake Club' }, answer: E.program },
  },
  ...(['pause', 'resume'] as const).map(
    (verb) =>
      ({
        id: `${verb}Program`,
        method: 'POST',
        path: `/v1/programs/{program}/${verb}`,
        scope: 'programs:write',
        summary: verb === 'pause' ? 'Stop a program' : 'Let a paused program run again',
        description: 'Holds from the next request, in every process. Doing it twice is doing it once.',
        answers: one(programAnswer, 'The program after it'),
        refusals: ['program_unknown'],
        idempotent: true,
        etag: true,
        examples: { answer: { ...E.program, status: verb === 'pause' ? 'paused' : 'active' } },
      }) as const,
  ),
] as const satisfies readonly Omit<Operation, 'tag'>[]
