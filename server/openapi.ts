import { z } from 'zod'
import { problem as problemShape } from '@laurel/contract/common'
import { type Operation, refusalsOf } from '@laurel/contract/operation'
import { OPERATIONS } from '@laurel/contract/operations'
import { problem, type RefusalCode, REFUSALS } from '@laurel/contract/refusals'
import { SCOPES } from '@laurel/contract/scopes'
import { internalProblem } from './problems.ts'

/**
 * The API in OpenAPI 3.1, from the contract alone. openapi.json is what it says, committed so that a change of the API
 * is seen in review, and served; a test keeps the two the same.
 */
type Json = Record<string, unknown>

const INTRODUCTION = `Points, rules and a ledger that can prove itself.

**Conventions.** JSON in camelCase; money in the currency's minor unit, points whole, both within 2^53 − 1; instants in RFC 3339 with an
offset. A member is named by \`mem_…\`, \`external:<your id>\`, \`card:…\`, \`email:…\` or \`phone:…\`, a program by its slug or id. Unknown fields are refused.

**Repeating safely.** Send an \`Idempotency-Key\` (1 to 255 printable ASCII characters) with a POST: the same request again gets the first answer, with
\`Idempotent-Replayed: true\`, for 30 days. What has an \`externalId\` is idempotent by it as well.

**Refusals** are RFC 9457 problem details with a stable \`code\`; every field at fault is listed. What is refused has stored nothing.

**Bodies** are read strictly: a key twice in an object, NUL, a lone surrogate, or a number that a double does not hold exactly is refused.`

const EXTERNAL = 'external:<its external id>'
const PARAMETERS: Record<string, string> = {
  program: "The program's slug or id (prg_…)",
  rule: "The rule's id (rul_…)",
  wallet: "The wallet's slug, such as points",
  member: `The member's id (mem_…), ${EXTERNAL}, card:<the code of its card>, email:… or phone:…`,
  purchase: `The purchase's id (pur_…), or ${EXTERNAL}`,
  activity: `The activity's id (act_…), or ${EXTERNAL}`,
  type: "The type of activity's id (aty_…)",
  entry: "The entry's id (ent_…)",
  adjustment: "The adjustment's id (adj_…)",
  card: "The card's code, or its id (crd_…)",
  category: "The category's id (rct_…)",
  checkout: `The checkout's id (chk_…), or ${EXTERNAL}`,
  hold: "The hold's id (hld_…)",
  ladder: "The ladder's id (ldr_…), or its slug where only one program has such a ladder, or `program` says which",
  pool: "The pool's id (cpl_…)",
  redemption: "The redemption's id (rdm_…), or code:<its code>",
  reward: "The reward's id (rwd_…)",
  voucher: "The voucher's id (vch_…), or code:<its code>",
}
/** Where a name means something else than elsewhere. */
const OF_VOUCHERS = `The redemption's id (vrd_…), or ${EXTERNAL}`

export function describe(version: string): Json {
  const schemas: Json = {}
  const responses: Json = { internal: FAULT }
  const paths: Record<string, Json> = {}
  for (const op of OPERATIONS)
    (paths[op.path] ??= {})[op.method.toLowerCase()] = describeOperation(op, schemas, responses)
  place(problemShape, schemas)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Laurel',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(OPERATIONS.map((op) => op.tag)), 'Running it'].map((name) => ({ name })),
    security: [{ key: [] }],
    paths: { ...paths, ...runningIt() },
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      examples: Object.fromEntries(
        Object.entries(REFUSALS).map(([code, { title }]) => [
          code,
          { summary: title, value: problem({ code: code as RefusalCode, detail: title }) },
        ]),
      ),
      headers: HEADERS,
      responses,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: `A secret key: Authorization: Bearer lk_live_… or lk_test_…. Scopes: ${SCOPES.join(', ')}; * is all of them.`,
        },
      },
    },
  }
}

const text = { type: 'string' }
const HEADERS = {
  'Request-Id': { description: 'Names this request: tell us when something is wrong', schema: text },
  ETag: { description: "The object's revision, for If-Match", schema: text },
  'Idempotent-Replayed': { description: '`true`: this is the first answer, again', schema: text },
  'RateLimit-Policy': { description: 'Requests that a key may make, such as "key";q=1000;w=1', schema: text },
  RateLimit: { description: 'What is left of them, such as "key";r=999;t=1', schema: text },
  'Retry-After': { description: 'Seconds to wait', schema: text },
  Allow: { description: 'The methods that this path takes', schema: text },
}
const headers = (...names: (keyof typeof HEADERS)[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

function describeOperation(op: Operation, schemas: Json, responses: Json): Json {
  return {
    operationId: op.id,
    tags: [op.tag],
    summary: op.summary,
    ...(op.description ? { description: op.description } : {}),
    security: [{ key: [op.scope] }],
    parameters: parametersOf(op, schemas),
    ...(op.body
      ? {
          requestBody: {
            required: !op.bodyOptional,
            content: { 'application/json': { schema: place(op.body, schemas), example: op.examples.body } },
          },
        }
      : {}),
    responses: { ...answersOf(op, schemas), ...refusalAnswers(op, responses) },
  }
}

function parametersOf(op: Operation, schemas: Json): Json[] {
  const inPath = [...op.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: op.path.startsWith('/v1/vouchers/redemptions/') ? OF_VOUCHERS : PARAMETERS[name],
    schema: text,
  }))
  const asked = op.query instanceof z.ZodObject ? Object.entries(op.query.shape as Record<string, z.ZodType>) : []
  const inQuery = asked.map(([name, shape]) => {
    const { description, ...schema } = place(shape, schemas)
    return { name, in: 'query', required: false, ...(description ? { description } : {}), schema }
  })
  const inHeaders = [
    ...(op.idempotent
      ? [
          {
            name: 'Idempotency-Key',
            in: 'header',
            required: false,
            description: 'Makes it safe to send this again',
            schema: { type: 'string', minLength: 1, maxLength: 255 },
          },
        ]
      : []),
    ...(op.method === 'PATCH'
      ? [
          {
            name: 'If-Match',
            in: 'header',
            required: false,
            description: 'The ETag that the object was read with: refused when it was changed since',
            schema: text,
          },
        ]
      : []),
  ]
  return [...inPath, ...inQuery, ...inHeaders]
}

function answersOf(op: Operation, schemas: Json): Json {
  const [first] = Object.keys(op.answers).sort().reverse()
  return Object.fromEntries(
    Object.entries(op.answers).map(([status, { schema, description }]) => [
      status,
      {
        description,
        headers: headers(
          'Request-Id',
          'RateLimit',
          'RateLimit-Policy',
          ...(op.etag ? ['ETag' as const] : []),
          ...(op.idempotent ? ['Idempotent-Replayed' as const] : []),
        ),
        content: {
          'application/json': {
            schema: place(schema, schemas),
            ...(status === first ? { example: op.examples.answer } : {}),
          },
        },
      },
    ]),
  )
}

/** Every refusal that the operation may give, by status; and the fault that should never come. */
function refusalAnswers(op: Operation, responses: Json): Json {
  const byStatus = Map.groupBy(refusalsOf(op), (code) => REFUSALS[code].status)
  const refusals = [...byStatus].map(([status, codes]) => {
    responses[codes.join('.')] ??= refusalAnswer(status, codes)
    return [status, { $ref: `#/components/responses/${codes.join('.')}` }]
  })
  return { ...Object.fromEntries(refusals), 500: { $ref: '#/components/responses/internal' } }
}

function refusalAnswer(status: number, codes: readonly RefusalCode[]): Json {
  return {
    description: codes.map((code) => `\`${code}\`: ${REFUSALS[code].title}`).join('\n\n'),
    headers: headers('Request-Id', ...(status === 429 || status === 503 ? ['Retry-After' as const] : [])),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: codes } } }],
        },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  }
}

const FAULT = {
  description: '`internal`: something broke on our side; the outcome is not known',
  headers: headers('Request-Id'),
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: internalProblem('req_3f9c1d7a5e20000042'),
    },
  },
}

/** The JSON Schema of a shape; what has a name goes to the components. */
function place(shape: z.ZodType, schemas: Json): Json {
  const { $schema: _, $defs = {}, ...schema } = z.toJSONSchema(shape, { io: 'input' }) as Json & { $defs?: Json }
  for (const [name, named] of Object.entries($defs)) schemas[name] = redirected(named)
  return redirected(schema) as Json
}

function redirected(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(redirected)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'id' || typeof (schema as Json).id !== 'string')
      .map(([key, value]) => [
        key,
        key === '$ref' ? String(value).replace('#/$defs/', '#/components/schemas/') : redirected(value),
      ]),
  )
}

/** What balancers and Prometheus ask; no key. */
function runningIt(): Json {
  const get = (id: string, summary: string, responses: Json) => ({
    get: { operationId: id, tags: ['Running it'], summary, security: [], responses },
  })
  const status = {
    type: 'object',
    required: ['status'],
    properties: {
      status: { enum: ['ok', 'unavailable'] },
      parts: {
        type: 'object',
        additionalProperties: { type: 'object', required: ['status'], properties: { status: text } },
      },
    },
  }
  const said = (description: string, example: Json) => ({
    description,
    content: { 'application/json': { schema: status, example } },
  })
  const parts = {
    database: { status: 'ok' },
    migrations: { status: 'ok' },
    outbox: { status: 'ok', lagSeconds: 0 },
    gate: { status: 'ok' },
  }
  return {
    '/health/live': get('live', 'Is the process alive?', { 200: said('Yes', { status: 'ok' }) }),
    '/health/ready': get('ready', 'Can it take requests?', {
      200: said('Yes, with its parts', { status: 'ok', parts }),
      503: said('No: which part is not', {
        status: 'unavailable',
        parts: { ...parts, database: { status: 'unavailable' } },
      }),
    }),
    '/metrics': get('metrics', 'Measures for Prometheus', {
      200: { description: 'In the text format', content: { 'text/plain': { schema: text } } },
    }),
  }
}
