import { z } from 'zod'
import { list, page, problem, programRef } from './common.ts'
import { ruleAnswer, ruleBody, ruleQuery, ruleVersionBody } from './earning-rules.ts'
import { eventsAnswer, eventsQuery } from './events.ts'
import { EXAMPLES as E } from './examples.ts'
import { memberAnswer, memberBody, memberPatch, memberQuery } from './members.ts'
import { BATCH_BODY_MAX, type Operation } from './operation.ts'
import { adjustBody, entriesQuery, entryAnswer, entryStory, movementAnswer, spendBody, walletsAnswer } from './points.ts'
import { programAnswer, programBody, programPatch } from './programs.ts'
import { batchBody, previewAnswer, previewBody, purchaseAnswer, purchaseBody, purchaseView } from './purchases.ts'
import { returnAnswer, returnBody } from './returns.ts'

const pages = z.strictObject(page)
const one = (schema: z.ZodType, description: string, status = 200) => ({ [status]: { schema, description } })
const made = (schema: z.ZodType, noun: string) => ({ 201: { schema, description: `The ${noun}, new` },
  200: { schema, description: `The ${noun} that this external id named already, with the same content` } })
const paged = (item: unknown) => ({ data: [item], next: null })

const batchAnswer = z.object({ results: z.array(z.union([
  z.object({ status: z.int(), purchase: purchaseAnswer }), z.object({ status: z.int(), error: problem })])) })
  .meta({ id: 'PurchaseBatch', description: 'In the order of what was sent; each with its own status' })

const programs = [
  { id: 'createProgram', method: 'POST', path: '/v1/programs', scope: 'programs:write', summary: 'Make a program',
    description: 'A program starts with the wallet `points`. Its slug and currency never change.', body: programBody,
    answers: one(programAnswer, 'The program', 201), refusals: ['already_exists'], idempotent: true, etag: true,
    examples: { body: E.programBody, answer: E.program } },
  { id: 'listPrograms', method: 'GET', path: '/v1/programs', scope: 'programs:read', summary: 'List programs', query: pages,
    answers: one(list(programAnswer), 'A page of programs, oldest first'), refusals: ['invalid_cursor'], idempotent: false,
    examples: { answer: paged(E.program) } },
  { id: 'getProgram', method: 'GET', path: '/v1/programs/{program}', scope: 'programs:read', summary: 'Read a program',
    answers: one(programAnswer, 'The program'), refusals: ['program_unknown'], idempotent: false, etag: true,
    examples: { answer: E.program } },
  { id: 'changeProgram', method: 'PATCH', path: '/v1/programs/{program}', scope: 'programs:write', summary: 'Change a program',
    body: programPatch, answers: one(programAnswer, 'The program after it'), refusals: ['program_unknown', 'etag_mismatch'],
    idempotent: false, etag: true, examples: { body: { name: 'Coffee & Cake Club' }, answer: E.program } },
  ...(['pause', 'resume'] as const).map((verb) => ({ id: `${verb}Program`, method: 'POST', path: `/v1/programs/{program}/${verb}`,
    scope: 'programs:write', summary: verb === 'pause' ? 'Stop a program' : 'Let a paused program run again',
    description: 'Holds from the next request, in every process. Doing it twice is doing it once.',
    answers: one(programAnswer, 'The program after it'), refusals: ['program_unknown'], idempotent: true, etag: true,
    examples: { answer: { ...E.program, status: verb === 'pause' ? 'paused' : 'active' } } } as const)),
] as const satisfies readonly Omit<Operation, 'tag'>[]

const rules = [
  { id: 'createEarningRule', method: 'POST', path: '/v1/earning-rules', scope: 'rules:write', summary: 'Make an earning rule',
    description: 'Version 1 is effective for purchases of any date unless startsAt says otherwise.', body: ruleBody,
    answers: one(ruleAnswer, 'The rule', 201), refusals: ['program_unknown', 'wallet_unknown'], idempotent: true,
    examples: { body: E.ruleBody, answer: E.rule } },
  { id: 'listEarningRules', method: 'GET', path: '/v1/earning-rules', scope: 'rules:read', summary: 'List earning rules',
    query: ruleQuery, answers: one(list(ruleAnswer), 'A page of rules, oldest first'),
    refusals: ['invalid_cursor', 'program_unknown'], idempotent: false, examples: { answer: paged(E.rule) } },
  { id: 'getEarningRule', method: 'GET', path: '/v1/earning-rules/{rule}', scope: 'rules:read', summary: 'Read an earning rule',
    answers: one(ruleAnswer, 'The rule with all its versions'), refusals: ['rule_unknown'], idempotent: false,
    examples: { answer: E.rule } },
  { id: 'publishRuleVersion', method: 'POST', path: '/v1/earning-rules/{rule}/versions', scope: 'rules:write',
    summary: 'Publish a new version of a rule', description: 'Effective for purchases that occur from now on; what is left out ' +
      'stays as it was. Earlier versions stay as they are, and every entry names the version that made it.',
    body: ruleVersionBody, answers: one(ruleAnswer, 'The rule as its new version says it', 201),
    refusals: ['rule_unknown', 'rule_state'], idempotent: true,
    examples: { body: { args: { points: 2, per: 100 } }, answer: { ...E.rule, version: 2, args: { points: 2, per: 100 } } } },
  ...(['publish', 'pause', 'resume', 'archive'] as const).map((verb) => ({ id: `${verb}EarningRule`, method: 'POST',
    path: `/v1/earning-rules/{rule}/${verb}`, scope: 'rules:write', summary: { publish: 'Put a draft rule into force',
      pause: 'Stop a rule', resume: 'Let a paused rule run again', archive: 'End a rule for good' }[verb],
    description: 'Holds from the next request, in every process. Doing it twice is doing it once.',
    answers: one(ruleAnswer, 'The rule after it'), refusals: ['rule_unknown', 'rule_state'], idempotent: true,
    examples: { answer: { ...E.rule, status: { publish: 'active', pause: 'paused', resume: 'active', archive: 'archived' }[verb] } } } as const)),
] as const satisfies readonly Omit<Operation, 'tag'>[]

const members = [
  { id: 'createMember', method: 'POST', path: '/v1/members', scope: 'members:write', summary: 'Enrol a member',
    description: 'Idempotent by externalId: a repeat with the same content answers 200 with the member as it is.',
    body: memberBody, answers: made(memberAnswer, 'member'), refusals: ['already_exists', 'external_id_conflict'],
    idempotent: true, etag: true, examples: { body: E.memberBody, answer: E.member } },
  { id: 'listMembers', method: 'GET', path: '/v1/members', scope: 'members:read', summary: 'List or find members',
    description: 'email, phone and externalId match exactly.', query: memberQuery,
    answers: one(list(memberAnswer), 'A page of members, newest first'), refusals: ['invalid_cursor'], idempotent: false,
    examples: { answer: paged(E.member) } },
  { id: 'getMember', method: 'GET', path: '/v1/members/{member}', scope: 'members:read', summary: 'Read a member',
    answers: one(memberAnswer, 'The member'), refusals: ['member_unknown'], idempotent: false, etag: true,
    examples: { answer: E.member } },
  { id: 'changeMember', method: 'PATCH', path: '/v1/members/{member}', scope: 'members:write', summary: 'Change a member',
    description: 'A merge patch: null takes a field away. With If-Match it is refused when the member was changed since.',
    body: memberPatch, answers: one(memberAnswer, 'The member after it'),
    refusals: ['member_unknown', 'etag_mismatch', 'already_exists', 'member_suspended'], idempotent: false, etag: true,
    examples: { body: { phone: '+441632960961' }, answer: { ...E.member, phone: '+441632960961' } } },
  { id: 'listWallets', method: 'GET', path: '/v1/members/{member}/wallets', scope: 'points:read', summary: "Read a member's balances",
    answers: one(walletsAnswer, 'Every wallet of every program'), refusals: ['member_unknown'], idempotent: false,
    examples: { answer: E.wallets } },
  { id: 'listEntries', method: 'GET', path: '/v1/members/{member}/entries', scope: 'points:read', summary: "List a member's entries",
    query: entriesQuery, answers: one(list(entryAnswer), 'A page of entries, newest first'),
    refusals: ['member_unknown', 'program_unknown', 'wallet_unknown', 'invalid_cursor'], idempotent: false,
    examples: { answer: paged(E.entry) } },
  { id: 'listPurchases', method: 'GET', path: '/v1/members/{member}/purchases', scope: 'purchases:read',
    summary: "List a member's purchases", query: z.strictObject({ ...page, program: programRef.optional() }),
    answers: one(list(purchaseView), 'A page of purchases, newest recorded first'),
    refusals: ['member_unknown', 'program_unknown', 'invalid_cursor'], idempotent: false, examples: { answer: paged(E.purchaseView) } },
] as const satisfies readonly Omit<Operation, 'tag'>[]

const purchases = [
  { id: 'recordPurchase', method: 'POST', path: '/v1/purchases', scope: 'purchases:write', summary: 'Record a purchase',
    description: 'Decides and books its points. Idempotent by externalId: the same again answers 200 with what was stored, ' +
      'other content 409.', body: purchaseBody, answers: made(purchaseAnswer, 'purchase'),
    refusals: ['program_unknown', 'member_unknown', 'member_suspended', 'program_paused', 'currency_mismatch',
      'amount_out_of_range', 'external_id_conflict'], idempotent: true, examples: { body: E.purchaseBody, answer: E.purchase } },
  { id: 'recordPurchases', method: 'POST', path: '/v1/purchases/batch', scope: 'purchases:write', summary: 'Record many purchases',
    description: 'At most 1,000. Each is taken or refused by itself; the results come in the order of what was sent.',
    body: batchBody, bodyMax: BATCH_BODY_MAX, answers: one(batchAnswer, 'What became of each'), refusals: [], idempotent: true,
    examples: { body: E.batchBody, answer: E.batch } },
  { id: 'previewPurchase', method: 'POST', path: '/v1/purchases/preview', scope: 'purchases:read',
    summary: 'Ask what a purchase would earn', description: 'Stores nothing. Says of every rule whether it fires, and why not. ' +
      'occurredAt is now unless told.', body: previewBody, answers: one(previewAnswer, 'What it would earn'),
    refusals: ['program_unknown', 'member_unknown', 'member_suspended', 'program_paused', 'currency_mismatch',
      'amount_out_of_range'], idempotent: false, examples: { body: E.previewBody, answer: E.preview } },
  { id: 'getPurchase', method: 'GET', path: '/v1/purchases/{purchase}', scope: 'purchases:read', summary: 'Read a purchase',
    answers: one(purchaseView, 'The purchase'), refusals: ['purchase_unknown'], idempotent: false,
    examples: { answer: E.purchaseView } },
  { id: 'recordReturn', method: 'POST', path: '/v1/returns', scope: 'purchases:write', summary: 'Record a return',
    description: 'Decides the purchase again on what was frozen with it and takes the difference back. Idempotent by externalId.',
    body: returnBody, answers: made(returnAnswer, 'return'),
    refusals: ['program_unknown', 'member_unknown', 'member_suspended', 'program_paused', 'purchase_unknown',
      'return_exceeds_purchase', 'amount_out_of_range', 'external_id_conflict'], idempotent: true,
    examples: { body: E.returnBody, answer: E.returned } },
] as const satisfies readonly Omit<Operation, 'tag'>[]

const moves = ['program_unknown', 'wallet_unknown', 'member_unknown', 'member_suspended', 'program_paused',
  'insufficient_points', 'amount_out_of_range'] as const
const points = [
  { id: 'spendPoints', method: 'POST', path: '/v1/members/{member}/spend', scope: 'points:write', summary: 'Spend points',
    description: 'Takes from the lots that expire soonest. Idempotent by externalId.', body: spendBody,
    answers: made(movementAnswer, 'spend'), refusals: [...moves, 'external_id_conflict'], idempotent: true,
    examples: { body: E.spendBody, answer: E.spend } },
  { id: 'adjustPoints', method: 'POST', path: '/v1/members/{member}/adjust', scope: 'points:write', summary: 'Add or take points by hand',
    body: adjustBody, answers: one(movementAnswer, 'The adjustment', 201), refusals: moves, idempotent: true,
    examples: { body: E.adjustBody, answer: E.adjustment } },
  { id: 'getEntry', method: 'GET', path: '/v1/entries/{entry}', scope: 'points:read', summary: 'Read an entry and its story',
    description: 'What made it, which rule version, which lots it took from, and what corrected it.',
    answers: one(entryStory, 'The entry'), refusals: ['entry_unknown'], idempotent: false, examples: { answer: E.story } },
] as const satisfies readonly Omit<Operation, 'tag'>[]

const events = [
  { id: 'listEvents', method: 'GET', path: '/v1/events', scope: 'events:read', summary: 'Follow what happens',
    description: 'Every change, numbered in one gap-free order. Keep `next` and ask again: nothing is missed or told twice.',
    query: eventsQuery, answers: one(eventsAnswer, 'Events after `after`, oldest first'), refusals: ['invalid_cursor'], idempotent: false,
    examples: { answer: E.events } },
] as const satisfies readonly Omit<Operation, 'tag'>[]

/** Everything that can be asked: the closed list. */
export const OPERATIONS: readonly Operation[] = [
  ...programs.map((op) => ({ ...op, tag: 'Programs' })),
  ...rules.map((op) => ({ ...op, tag: 'Earning rules' })),
  ...members.map((op) => ({ ...op, tag: 'Members' })),
  ...purchases.map((op) => ({ ...op, tag: 'Purchases' })),
  ...points.map((op) => ({ ...op, tag: 'Points' })),
  ...events.map((op) => ({ ...op, tag: 'Events' })),
]
export type OperationId = (typeof programs | typeof rules | typeof members | typeof purchases | typeof points | typeof events)[number]['id']

const byId = new Map(OPERATIONS.map((op) => [op.id, op]))
export function operation(id: OperationId): Operation {
  return byId.get(id) as Operation
}
