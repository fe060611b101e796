import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe as suite, expect, test } from 'vitest'
import { type Operation, refusalsOf } from '@laurel/contract/operation'
import { OPERATIONS } from '@laurel/contract/operations'
import { REFUSALS } from '@laurel/contract/refusals'
import { describe } from './openapi.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const document = JSON.parse(JSON.stringify(describe(version)))

test('openapi.json is what the contract says (npx vitest run server/openapi.test.ts -u writes it)', async () => {
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot('./openapi.json')
})

test('it is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document))
  expect(result.errors).toBeUndefined()
  expect(result.valid).toBe(true)
})

test('every reference leads somewhere', () => {
  const refs = JSON.stringify(document).match(/"\$ref":"([^"]+)"/g) ?? []
  for (const ref of new Set(refs)) {
    const path = ref.slice(8, -1).slice(2).split('/')
    expect(
      path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document),
      ref,
    ).toBeDefined()
  }
  expect(JSON.stringify(document)).not.toContain('$defs')
})

test('nothing of the contract is missing', () => {
  for (const op of OPERATIONS) {
    const said = document.paths[op.path][op.method.toLowerCase()]
    expect(said.operationId).toBe(op.id)
    const codes = Object.values(said.responses as Record<string, { $ref?: string }>)
      .flatMap(({ $ref = '' }) => ($ref.endsWith('/internal') ? [] : ($ref.split('/').at(-1) ?? '').split('.')))
      .filter(Boolean)
    expect(codes.sort()).toEqual(refusalsOf(op).sort())
  }
  const used = new Set(OPERATIONS.flatMap(refusalsOf))
  const anywhere = ['not_found', 'method_not_allowed'] // of paths that are not operations
  expect(Object.keys(REFUSALS).filter((code) => !used.has(code as never) && !anywhere.includes(code))).toEqual([])
})

test('every parameter says what it is', () => {
  const operations = Object.values(document.paths as Record<string, object>).flatMap((path) => Object.values(path))
  const parameters = operations.flatMap(({ operationId, parameters = [] }) =>
    parameters.map(({ name, ...said }: { name: string }) => ({ of: `${operationId} ${name}`, ...said })),
  )
  const inPath = parameters.filter((parameter) => parameter.in === 'path')
  expect(inPath.length).toBeGreaterThan(50)
  expect(inPath.filter(({ description }) => !description).map(({ of }) => of)).toEqual([])
})

suite.each(OPERATIONS.map((op) => [op.id, op] as const))('%s', (_, op: Operation) => {
  test('answers with what its example shows', () => {
    for (const { schema } of Object.values(op.answers))
      expect(schema.safeParse(JSON.parse(JSON.stringify(op.examples.answer))).error).toBeUndefined()
  })
})
