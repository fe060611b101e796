import { describe, expect, test } from 'vitest'
import type { ProgramBody } from '@laurel/contract/programs'
import { DEFAULT_SETTINGS, type WalletBody, type WalletPatch } from '@laurel/contract/wallets'
import { openDatabase } from '../tests/database.ts'
import { type Db, type Tx, withRead, withTx } from './base/db.ts'
import { newId } from './base/ids.ts'
import { createProgram } from './configure-programs.ts'
import { changeWallet, createWallet } from './configure-wallets.ts'
import { configurations, loadConfiguration } from './earning/configuration.ts'
import { getProgram } from './programs/programs.ts'
import { getProgramWallet, listProgramWallets } from './programs/wallets.ts'
import { listEvents } from './views/events.ts'

const database = await openDatabase()
const NOW = 1_800_000_000_000_000 // 15 January 2027
const door = { now: NOW, newId: () => newId() }
const change = <T>(work: (tx: Tx) => Promise<T>, space = database.space) => withTx(database.pool, space, work)
const read = <T>(work: (db: Db) => Promise<T>, space = database.space) => withRead(database.pool, space, work)

async function program(slug: string, space = database.space): Promise<string> {
  const body: ProgramBody = {
    slug,
    name: slug,
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'explicit',
  }
  await change((tx) => createProgram(tx, body, door), space)
  return slug
}
const make = (to: string, body: WalletBody) => change((tx) => createWallet(tx, to, body, door))
const patch = (of: string, wallet: string, said: WalletPatch, revision?: number) =>
  change((tx) => changeWallet(tx, { program: of, wallet }, said, revision, door))
const faults = async (work: Promise<unknown>) =>
  await work.then(
    () => 'taken',
    (error) => [error.refusal.code, ...(error.refusal.errors ?? []).map((e: { pointer: string }) => e.pointer)],
  )

describe('a wallet', () => {
  test('points is there from the beginning, and behaves as ever', async () => {
    await program('tea')
    const { wallet, revision } = await read((db) => getProgramWallet(db, 'tea', 'points'))
    expect(wallet).toMatchObject({ program: 'tea', slug: 'points', ...DEFAULT_SETTINGS })
    expect(revision).toBe(1)
  })

  test('is made with what is said and is otherwise as points, and stands in the configuration and the program', async () => {
    await program('juice')
    const before = await read((db) => getProgram(db, 'juice'))
    const body: WalletBody = { slug: 'stamps', unit: 'stamps', target: 10, expiry: { kind: 'dates', dates: ['12-31'] } }
    const made = await make('juice', body)
    expect(made).toEqual({
      revision: 1,
      wallet: {
        program: 'juice',
        ...DEFAULT_SETTINGS,
        ...body,
        createdAt: '2027-01-15T08:00:00.000Z',
        updatedAt: '2027-01-15T08:00:00.000Z',
      },
    })
    expect(await read((db) => getProgramWallet(db, 'juice', 'stamps'))).toEqual(made)
    const { programs, byWalletId } = await read(loadConfiguration)
    const configured = programs.find(({ slug }) => slug === 'juice')?.wallets.find(({ slug }) => slug === 'stamps')
    expect(configured?.settings).toMatchObject({ unit: 'stamps', target: 10, expiry: body.expiry, caps: [] })
    expect(byWalletId.get(configured?.walletId ?? 0)).toMatchObject({ slug: 'stamps', program: { slug: 'juice' } })
    const after = await read((db) => getProgram(db, 'juice'))
    expect(after.program.wallets).toEqual([{ slug: 'points' }, { slug: 'stamps' }])
    expect(after.revision).toBe(before.revision + 1)
  })

  test('has a slug of its own in its program; another program may have it too', async () => {
    await program('one')
    await program('two')
    await make('one', { slug: 'gold' })
    await make('two', { slug: 'gold' })
    expect(await faults(make('one', { slug: 'gold' }))).toEqual(['already_exists', '/slug'])
    expect(await faults(make('one', { slug: 'points' }))).toEqual(['already_exists', '/slug'])
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => make('one', { slug: 'race' })))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('of another space does not exist here', async () => {
    await program('theirs', database.otherSpace)
    expect(await faults(make('theirs', { slug: 'gold' }))).toEqual(['program_unknown'])
    expect(await faults(patch('theirs', 'points', { adjustmentLimit: 5 }))).toEqual(['program_unknown'])
    expect(await faults(patch('tea', 'nothing', { adjustmentLimit: 5 }))).toEqual(['wallet_unknown'])
  })

  test('is listed with the others of its program, oldest first, page by page', async () => {
    await program('many')
    for (const slug of ['c', 'a', 'b']) await make('many', { slug })
    const first = await read((db) => listProgramWallets(db, 'many', { limit: 3 }))
    expect(first).toMatchObject({ data: [{ slug: 'points' }, { slug: 'c' }, { slug: 'a' }], next: 'a' })
    const rest = await read((db) => listProgramWallets(db, 'many', { limit: 3, after: 'a' }))
    expect(rest).toMatchObject({ data: [{ slug: 'b' }], next: null })
    const nonsense = read((db) => listProgramWallets(db, 'many', { limit: 3, after: 'nonsense' }))
    expect(await faults(nonsense)).toEqual(['invalid_cursor'])
  })
})

describe('changing a wallet', () => {
  test('holds from the next configuration, and is told with what differs', async () => {
    await program('shop')
    const before = (await read(loadConfiguration)).configVersion
    const expiry = { kind: 'rolling', period: 'P12M', roundUp: 'month' } as const
    const changed = await patch('shop', 'points', { expiry, names: { en: { one: 'bean', other: 'beans' } } }, 1)
    expect(changed).toMatchObject({ revision: 2, wallet: { expiry, names: { en: { one: 'bean', other: 'beans' } } } })
    const after = await read(loadConfiguration)
    expect(after.configVersion).toBeGreaterThan(before)
    expect(after.byRef.get('shop')?.wallets[0]?.settings.expiry).toEqual(expiry)
    await make('shop', { slug: 'gold', unit: 'money' })
    let events = await listEvents(database.pool, configurations(), database.space, { after: 0, limit: 100 })
    while (events.hasMore) {
      events = await listEvents(database.pool, configurations(), database.space, {
        after: Number(events.next),
        limit: 100,
      })
    }
    expect(events.data.slice(-2).map(({ type, data }) => [type, data])).toEqual([
      ['wallet.changed', { program: 'shop', wallet: 'points', fields: ['names', 'expiry'] }],
      ['wallet.created', { program: 'shop', wallet: 'gold' }],
    ])
  })

  test('is a merge patch: names and transfers are merged, the rest is replaced, null sets back', async () => {
    await program('merge')
    const names = { en: { one: 'bean', other: 'beans' }, de: { one: 'Bohne', other: 'Bohnen' } }
    await patch('merge', 'points', {
      names,
      transfers: { min: 10, max: 100 },
      pending: { kind: 'until', date: '2027-02-01' },
    })
    const { wallet } = await patch('merge', 'points', {
      names: { de: null, fr: { one: 'grain', other: 'grains' } },
      transfers: { max: null, perDay: 50 },
      pending: { kind: 'period', period: 'P14D' },
    })
    expect(wallet).toMatchObject({ transfers: { min: 10, perDay: 50 }, pending: { kind: 'period', period: 'P14D' } })
    expect(wallet.transfers).not.toHaveProperty('max')
    expect(wallet.pending).not.toHaveProperty('date')
    expect(Object.keys(wallet.names)).toEqual(['en', 'fr'])
    const back = await patch('merge', 'points', { names: null, transfers: null, pending: null })
    expect(back.wallet).toMatchObject(DEFAULT_SETTINGS)
  })

  test('to what it is already changes nothing and tells nothing', async () => {
    await program('same')
    const expiry = { roundUp: 'month', kind: 'rolling', period: 'P12M' } as const
    const first = await patch('same', 'points', { expiry })
    const told = await database.sql('select count(*) as n from outbox')
    expect(await patch('same', 'points', { expiry: { kind: 'rolling', period: 'P12M', roundUp: 'month' } })).toEqual(
      first,
    )
    expect(await database.sql('select count(*) as n from outbox')).toEqual(told)
  })

  test('is refused when it was changed since it was read, and loses none of twenty made at once', async () => {
    await program('guarded')
    await patch('guarded', 'points', { adjustmentLimit: 1 }, 1)
    expect(await faults(patch('guarded', 'points', { adjustmentLimit: 2 }, 1))).toEqual(['etag_mismatch'])
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        patch('guarded', 'points', { names: { [`x${String.fromCharCode(97 + i)}`]: { one: 'a', other: 'b' } } }),
      ),
    )
    const { wallet, revision } = await read((db) => getProgramWallet(db, 'guarded', 'points'))
    expect([revision, Object.keys(wallet.names).length]).toEqual([22, 20])
  })

  test('is held against what the program has: only what is changed', async () => {
    await program('checked')
    await make('checked', { slug: 'gold' })
    await make('checked', { slug: 'spring', expiry: { kind: 'on', date: '2027-05-31' } })
    const cases: [WalletPatch, unknown][] = [
      [{ conversions: [{ to: 'gold', give: 100, get: 1 }] }, 'taken'],
      [{ conversions: [{ to: 'silver', give: 100, get: 1 }] }, ['invalid_request', '/conversions/0/to']],
      [{ expiry: { kind: 'sliding', period: 'P6M', on: ['spend', 'visit'] } }, ['invalid_request', '/expiry/on/1']],
      [
        { pending: { kind: 'event', activity: 'delivered', cancelAfter: 'P60D' } },
        ['invalid_request', '/pending/activity'],
      ],
    ]
    for (const [said, expected] of cases) expect(await faults(patch('checked', 'points', said))).toEqual(expected)
    const june = { now: NOW + 150 * 86_400_000_000, newId: door.newId } // spring is over
    const later = (said: WalletPatch) =>
      change((tx) => changeWallet(tx, { program: 'checked', wallet: 'spring' }, said, undefined, june))
    expect(await faults(later({ adjustmentLimit: 5 }))).toBe('taken')
    expect(await faults(later({ expiry: { kind: 'on', date: '2027-05-30' } }))).toEqual([
      'invalid_request',
      '/expiry/date',
    ])
  })

  test('may name a type of activity that the program has', async () => {
    await program('active')
    const [row] = await database.sql("select space_id, program_id from programs where slug = 'active'")
    await database.sql(
      `insert into activity_types (space_id, id, program_id, slug, name, status, created_at, updated_at)
       values ($1, $2, $3, 'delivered', 'Delivered', 'active', now(), now())`,
      [row?.space_id, newId(), row?.program_id],
    )
    const pending = { kind: 'event', activity: 'delivered', cancelAfter: 'P60D' } as const
    const expiry = { kind: 'sliding', period: 'P6M', on: ['earn', 'delivered'] } as const
    expect(
      (await patch('active', 'points', { pending, expiry: { ...expiry, on: [...expiry.on] } })).wallet,
    ).toMatchObject({ pending, expiry })
  })
})
