import { describe, expect, test } from 'vitest'
import type { ProgramBody } from '@laurel/contract/programs'
import { openDatabase } from '../tests/database.ts'
import { type Db, type Tx, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { changeProgram, createProgram, type Door, pauseProgram, resumeProgram } from './configure-programs.ts'
import { loadConfiguration, program } from './earning/configuration.ts'
import { getProgram, listPrograms } from './programs/programs.ts'

const database = await openDatabase()
const NOW = 1_764_000_000_000_123
const door: Door = { now: NOW, newId: () => newId() }
const change = <T>(work: (tx: Tx) => Promise<T>, space = database.space) => withTx(database.pool, space, work)
const read = <T>(work: (db: Db) => Promise<T>, space = database.space) => withRead(database.pool, space, work)

const body = (slug: string): ProgramBody => ({
  slug,
  name: `The ${slug}`,
  timezone: 'Europe/London',
  currency: 'GBP',
  joinPolicy: 'explicit',
})
const eventsOf = (space: number) =>
  database.sql('select events from outbox where space_id = $1 order by batch', [space])

describe('a program', () => {
  test('starts active, with the wallet points, and is read back as it was made', async () => {
    const made = await change((tx) => createProgram(tx, body('tea'), door))
    expect(made).toEqual({
      revision: 1,
      program: {
        id: expect.stringMatching(/^prg_[0-9a-z]{26}$/),
        ...body('tea'),
        claimDays: 30,
        status: 'active',
        wallets: [{ slug: 'points' }],
        createdAt: '2025-11-24T16:00:00.000123Z',
        updatedAt: '2025-11-24T16:00:00.000123Z',
      },
    })
    expect(await read((db) => getProgram(db, 'tea'))).toEqual(made)
    expect(await read((db) => getProgram(db, made.program.id))).toEqual(made)
  })

  test('is refused a slug that is taken, and nothing changes; another space may have it', async () => {
    await change((tx) => createProgram(tx, body('taken'), door))
    const version = (await read(loadConfiguration)).configVersion
    await expect(change((tx) => createProgram(tx, body('taken'), door))).rejects.toMatchObject({
      refusal: { code: 'already_exists', errors: [{ pointer: '/slug' }] },
    })
    expect((await read(loadConfiguration)).configVersion).toBe(version)
    await change((tx) => createProgram(tx, body('taken'), door), database.otherSpace)
  })

  test('of one slug is made once when twenty ask at the same time', async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, () => change((tx) => createProgram(tx, body('race'), door))),
    )
    expect(tries.filter((t) => t.status === 'fulfilled')).toHaveLength(1)
    for (const t of tries)
      if (t.status === 'rejected') expect(t.reason).toMatchObject({ refusal: { code: 'already_exists' } })
  })

  test('of another space does not exist here', async () => {
    const { program: theirs } = await change((tx) => createProgram(tx, body('theirs'), door), database.otherSpace)
    for (const ref of ['theirs', theirs.id]) {
      await expect(read((db) => getProgram(db, ref))).rejects.toMatchObject({ refusal: { code: 'program_unknown' } })
      await expect(change((tx) => pauseProgram(tx, ref, door))).rejects.toMatchObject({
        refusal: { code: 'program_unknown' },
      })
    }
    await expect(read((db) => listPrograms(db, { limit: 5, after: theirs.id }))).rejects.toMatchObject({
      refusal: { code: 'invalid_cursor' },
    })
  })
})

describe('changing a program', () => {
  test('changes what is given, raises the revision, and is in the next configuration', async () => {
    await change((tx) => createProgram(tx, body('change'), door))
    const before = await read(loadConfiguration)
    const later = { ...door, now: NOW + 5 }
    const changed = await change((tx) => changeProgram(tx, 'change', { joinPolicy: 'on_first_purchase' }, 1, later))
    expect(changed).toMatchObject({
      revision: 2,
      program: { ...body('change'), joinPolicy: 'on_first_purchase', updatedAt: '2025-11-24T16:00:00.000128Z' },
    })
    const after = await read(loadConfiguration)
    expect(after.configVersion).toBeGreaterThan(before.configVersion)
    expect(program(after, 'change')).toMatchObject({ joinPolicy: 'on_first_purchase', name: 'The change' })
  })

  test('is refused when it was changed since it was read', async () => {
    await change((tx) => createProgram(tx, body('guarded'), door))
    await change((tx) => changeProgram(tx, 'guarded', { name: 'First' }, 1, door))
    await expect(change((tx) => changeProgram(tx, 'guarded', { name: 'Second' }, 1, door))).rejects.toMatchObject({
      refusal: { code: 'etag_mismatch' },
    })
    expect((await read((db) => getProgram(db, 'guarded'))).program.name).toBe('First')
  })

  test('to what it is already changes nothing', async () => {
    const made = await change((tx) => createProgram(tx, body('same'), door))
    expect(
      await change((tx) => changeProgram(tx, 'same', { name: 'The same' }, undefined, { ...door, now: NOW + 9 })),
    ).toEqual(made)
  })

  test('loses none of twenty changes made at the same time', async () => {
    await change((tx) => createProgram(tx, body('busy'), door))
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        change((tx) => changeProgram(tx, 'busy', { name: `Name ${i}` }, undefined, door)),
      ),
    )
    expect((await read((db) => getProgram(db, 'busy'))).revision).toBe(21)
  })
})

test('pausing and resuming hold, are told once each, and twice is once', async () => {
  const { program: made } = await change((tx) => createProgram(tx, body('kill-switch'), door))
  const told = (await eventsOf(database.space)).length
  for (let i = 0; i < 2; i++) {
    expect(await change((tx) => pauseProgram(tx, 'kill-switch', door))).toMatchObject({
      revision: 2,
      program: { status: 'paused' },
    })
  }
  expect(program(await read(loadConfiguration), 'kill-switch')?.status).toBe('paused')
  for (let i = 0; i < 2; i++) {
    expect(await change((tx) => resumeProgram(tx, made.id, door))).toMatchObject({
      revision: 3,
      program: { status: 'active' },
    })
  }
  const types = (await eventsOf(database.space))
    .slice(told)
    .flatMap((row) => JSON.parse(String(row.events)) as unknown[])
  const id = program(await read(loadConfiguration), 'kill-switch')?.id
  expect(types).toEqual([
    ['program.paused', null, null, { program: id }],
    ['program.resumed', null, null, { program: id }],
  ])
})

test('programs are listed oldest first, page by page, each once', async () => {
  const all = await read((db) => listPrograms(db, { limit: 100 }))
  expect(all.next).toBeNull()
  const slugs: string[] = []
  let after: string | undefined
  do {
    const page = await read((db) => listPrograms(db, { limit: 2, after }))
    slugs.push(...page.data.map((p) => p.slug))
    after = page.next ?? undefined
  } while (after !== undefined)
  expect(slugs).toEqual(all.data.map((p) => p.slug))
  expect(new Set(slugs).size).toBe(slugs.length)
  await expect(read((db) => listPrograms(db, { limit: 2, after: 'nonsense' }))).rejects.toMatchObject({
    refusal: { code: 'invalid_cursor' },
  })
})
