import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { run, toDatabase } from '../tests/connect.ts'
import { checkSchema, migrate, schemaSteps } from './migrate.ts'
import { withOwner } from './owner.ts'

async function emptyDatabase(owner = 'laurel'): Promise<{ url: string; superuserUrl: string }> {
  const { ownerUrl, superuserUrl } = inject('server')
  const name = `migrate_${randomBytes(6).toString('hex')}`
  await run(superuserUrl, `create database ${name} owner ${owner}`)
  onTestFinished(() => run(superuserUrl, `drop database ${name} with (force)`).then(() => {}))
  return { url: toDatabase(ownerUrl, name), superuserUrl: toDatabase(superuserUrl, name) }
}

async function directoryOf(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'laurel-migrations-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, `${name}.sql`), text)
  return directory
}

const silent = () => {}

test('many processes at once: each file runs once', async () => {
  const { url } = await emptyDatabase()
  await expect(checkSchema(url)).rejects.toThrow('laurel migrate')
  const ran = await Promise.all(Array.from({ length: 4 }, () => migrate(url)))
  expect(ran.flat()).toEqual([...new Set(ran.flat())])
  expect(ran.flat()).toContain('0001_foundation')
  await checkSchema(url)
  expect(await migrate(url)).toEqual([])
})

test('the application may not touch the list of migrations', async () => {
  const { url } = await emptyDatabase()
  await migrate(url)
  for (const statement of ['select from laurel_migrations', "insert into laurel_migrations values ('x', 'y')"]) {
    await expect(run(url, `begin; set local role laurel_app; ${statement}; commit`)).rejects.toThrow(
      'permission denied',
    )
  }
})

test('a file that fails leaves nothing behind, and the next run goes on from there', async () => {
  const { url } = await emptyDatabase()
  const first = 'create table one (space_id int);'
  const broken = await directoryOf({ '0001_one': first, '0002_two': 'create table two (space_id int); select 1 / 0;' })
  await expect(migrate(url, silent, broken)).rejects.toThrow(
    /0002_two failed, and nothing of it was kept: division by zero/,
  )
  expect(await run(url, "select to_regclass('two') as two")).toEqual([{ two: null }])
  const mended = await directoryOf({ '0001_one': first, '0002_two': 'create table two (space_id int);' })
  expect(await migrate(url, silent, mended)).toEqual(['0002_two'])
})

test('a file outside a transaction runs statement by statement', async () => {
  const { url } = await emptyDatabase()
  const directory = await directoryOf({
    '0001_one': 'create table one (space_id int);',
    '0002_index':
      '-- laurel: no transaction\n-- An index, without stopping writes.\ndrop index concurrently if exists one_space;\n' +
      'create index concurrently one_space\n  on one (space_id);\n',
  })
  expect(await migrate(url, silent, directory)).toEqual(['0001_one', '0002_index'])
  expect(await run(url, "select indisvalid from pg_index where indexrelid = 'one_space'::regclass")).toEqual([
    { indisvalid: true },
  ])
  expect(await withOwner(url, 'test', (owner) => schemaSteps(owner, directory))).toEqual([
    { name: '0001_one', inTransaction: true, done: true },
    { name: '0002_index', inTransaction: false, done: true },
  ])
})

test('a database that knows more than this code is refused', async () => {
  const { url } = await emptyDatabase()
  const later = await directoryOf({ '0001_foundation': 'select 1;', '9999_later': 'select 1;' })
  await migrate(url, silent, later)
  await expect(migrate(url)).rejects.toThrow(/newer than this Laurel: it has 9999_later; this Laurel knows up to 0/)
})

test('an owner who may not make or become the role is told what an administrator has to run; then it works', async () => {
  const name = `poor_${randomBytes(6).toString('hex')}`
  const { superuserUrl } = inject('server')
  await run(superuserUrl, `create role ${name} login password 'poor'`)
  onTestFinished(() => run(superuserUrl, `drop owned by ${name}; drop role ${name}`).then(() => {}))
  const database = await emptyDatabase(name)
  const asPoor = new URL(database.url)
  asPoor.username = name
  asPoor.password = 'poor'
  const refused = await migrate(asPoor.href).then(
    () => '',
    (error: Error) => error.message,
  )
  expect(refused).toContain('As an administrator of the server, run once:')
  const statements = refused.split('run once:\n')[1] as string
  await run(database.superuserUrl, statements)
  expect(await migrate(asPoor.href)).toContain('0001_foundation')
})
