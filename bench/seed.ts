import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '@laurel/server/migrate'
import type pg from 'pg'
import { MEMBERS } from './population.ts'
import { CONFIGURATION, GROWING, INDEXES, KEY, PROFILES, purchases, STATES, work } from './seed.sql.ts'
import { asSuperuser, type Stage, withClient } from './stage.ts'

/** The API key that the seeded databases know. */
export const BENCH_KEY = 'lk_live_benchbenchbenchbenchbenchbenchbenchbenchben'

const ENGINE = join(import.meta.dirname, '../engine')

/** Seeds are kept between runs and made again when the schema or these statements change. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const migrations = readdirSync(join(ENGINE, 'migrations'))
    .sort()
    .map((file) => join(ENGINE, 'migrations', file))
  for (const file of [
    ...migrations,
    join(import.meta.dirname, 'seed.sql.ts'),
    join(import.meta.dirname, 'population.ts'),
  ])
    hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}

/** A database with all members and so many entries (one a purchase). Returns its name. */
export async function seeded(stage: Stage, entries: number): Promise<string> {
  const name = `bench_${entries}`
  const wanted = fingerprint()
  const found = await asSuperuser(stage, async (client) => {
    const { rows } = await client.query<{ comment: string | null }>(
      "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1",
      [name],
    )
    if (rows[0] && rows[0].comment !== wanted) await client.query(`drop database ${name} with (force)`)
    return rows[0]?.comment === wanted
  })
  if (found) return name
  console.log(`Seeding ${MEMBERS.toLocaleString('en')} members and ${entries.toLocaleString('en')} entries, once`)
  const began = Date.now()
  await withClient(stage.cluster.url, (client) => client.query(`create database ${name}`))
  await migrate(stage.url(name))
  await withClient(stage.url(name), (client) => fill(client, MEMBERS, entries))
  await asSuperuser(stage, (client) => client.query('checkpoint'))
  await withClient(stage.url(name), async (client) => {
    await client.query('vacuum analyze')
    await client.query(`comment on database ${name} is '${wanted}'`)
  })
  console.log(`Seeded in ${Math.round((Date.now() - began) / 1000)} s`)
  return name
}

/** Into a migrated, empty database; entries: one a purchase. */
export async function fill(client: pg.Client, members: number, entries: number): Promise<void> {
  await client.query(
    "set synchronous_commit = off; set work_mem = '256MB'; set maintenance_work_mem = '1GB'; set timezone = 'UTC'",
  )
  await client.query(CONFIGURATION)
  await client.query(KEY, [BENCH_KEY])
  const { rows: indexes } = await client.query<{ drop: string; make: string }>(INDEXES, [GROWING])
  for (const { drop } of indexes) await client.query(drop)
  for (const table of GROWING) await client.query(`alter table ${table} set (autovacuum_enabled = off)`)
  await client.query(work(members))
  for (const statement of PROFILES) await client.query(statement)
  for (let done = 0; done < entries; done += members) {
    for (const statement of purchases(members, done, entries)) await client.query(statement)
  }
  for (const statement of STATES) await client.query(statement)
  for (const { make } of indexes) await client.query(make)
  for (const table of GROWING) await client.query(`alter table ${table} reset (autovacuum_enabled)`)
}

/** A copy of a seeded database to write into, whatever was there before. Returns its name. */
export async function freshCopy(stage: Stage, entries: number, name = 'bench_run'): Promise<string> {
  const template = await seeded(stage, entries)
  await asSuperuser(stage, async (client) => {
    await client.query(`drop database if exists ${name} with (force)`)
    await client.query(`create database ${name} template ${template} owner laurel strategy file_copy`)
  })
  return name
}
