import type pg from 'pg'
import { runLoad } from './load.ts'
import { type Options, printSettings } from './rounds.ts'
import { ENTRIES } from './purchase.ts'
import { BENCH_KEY, freshCopy } from './seed.ts'
import { onStage, type Stage, walBytes, withClient } from './stage.ts'
import { printTable } from './table.ts'

/** Entries in B-trees: one an index for each new row, and for each new version of a row that did not stay on its page. */
const TABLES = `
  select relname as name, n_tup_ins::int as inserted, n_tup_upd::int as updated, n_tup_hot_upd::int as hot,
         (select count(*) from pg_index i join pg_class c on c.oid = indexrelid join pg_am a on a.oid = c.relam
           where indrelid = relid and amname = 'btree')::int as indexes, pg_total_relation_size(relid)::bigint::float8 as bytes
    from pg_stat_user_tables order by relname`
type Table = { name: string; inserted: number; updated: number; hot: number; indexes: number; bytes: number }

const STATEMENTS = `
  select calls::int, rows::int, total_exec_time * 1000 as micros, shared_blks_hit + shared_blks_read as pages, wal_records::int as records,
         wal_bytes::float8 as wal, regexp_replace(query, '\\s+', ' ', 'g') as text
    from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database()) and userid <> 10
   order by total_exec_time desc limit 14`
type Statement = {
  calls: number
  rows: number
  micros: number
  pages: string
  records: number
  wal: number
  text: string
}

/** What one purchase costs in PostgreSQL, counted by the server itself while singles arrive on 256 connections. */
export async function cost(options: Options): Promise<void> {
  const work = async (stage: Stage) => {
    const database = await freshCopy(stage, ENTRIES)
    const api = await stage.start('api', database)
    await stage.start('worker', database)
    await printSettings(stage)
    await withClient(stage.cluster.superuserUrl.replace(/postgres$/, database), async (client) => {
      await client.query('create extension pg_stat_statements')
      const load = (seconds: number) =>
        runLoad({
          ports: [api.port],
          connections: options.connections.at(-1) ?? 256,
          warmUpSeconds: 1,
          seconds,
          load: { kind: 'purchase', member: 'external', batch: 1, members: options.members, key: BENCH_KEY },
        })
      await load(options.warmUp)
      const before = await counted(client)
      await client.query('select pg_stat_statements_reset()')
      await load(options.seconds)
      const after = await counted(client)
      report(before, after, (await client.query<Statement>(STATEMENTS)).rows)
    })
  }
  await onStage(work, { shared_preload_libraries: 'pg_stat_statements' })
}

type Counted = { tables: Table[]; wal: number; records: number; fullPages: number }

/** Backends report their counts within a second of falling idle. */
async function counted(client: pg.Client): Promise<Counted> {
  await new Promise((done) => setTimeout(done, 2_500))
  const {
    rows: [wal],
  } = await client.query<{ records: string; pages: string }>(
    'select wal_records::text as records, wal_fpi::text as pages from pg_stat_wal',
  )
  return {
    tables: (await client.query<Table>(TABLES)).rows,
    wal: await walBytes(client),
    records: Number(wal?.records),
    fullPages: Number(wal?.pages),
  }
}

function report(before: Counted, after: Counted, statements: Statement[]): void {
  const change = after.tables.map((table) => {
    const was = before.tables.find(({ name }) => name === table.name) as Table
    const inserted = table.inserted - was.inserted
    const updated = table.updated - was.updated
    return {
      name: table.name,
      inserted,
      updated,
      entries: table.indexes * (inserted + updated - (table.hot - was.hot)),
      bytes: table.bytes - was.bytes,
    }
  })
  const purchases = change.find(({ name }) => name === 'purchases')?.inserted ?? 0
  const lists = statements.find(({ text }) => text.startsWith('insert into purchases'))?.calls ?? 0
  const each = (n: number, digits = 2) => (n / purchases).toFixed(digits)
  const sum = (of: (row: (typeof change)[number]) => number) => change.reduce((total, row) => total + of(row), 0)
  console.log(`\n${purchases} purchases in ${lists} lists: ${(purchases / lists).toFixed(0)} a list. A purchase:`)
  printTable(
    ['table', 'rows inserted', 'rows updated', 'index entries', 'bytes on disk'],
    [
      ...change
        .filter((row) => row.inserted + row.updated > 0)
        .map((row) => [row.name, each(row.inserted), each(row.updated), each(row.entries), each(row.bytes, 0)]),
      [
        'all',
        each(sum((row) => row.inserted)),
        each(sum((row) => row.updated)),
        each(sum((row) => row.entries)),
        each(
          sum((row) => row.bytes),
          0,
        ),
      ],
    ],
  )
  console.log(
    `Write-ahead log: ${each(after.wal - before.wal, 0)} bytes in ${each(after.records - before.records)} records, ` +
      `${each(after.fullPages - before.fullPages, 3)} full pages (right after a checkpoint there are more).`,
  )
  console.log(`Statements a list: ${(statements.reduce((total, { calls }) => total + calls, 0) / lists).toFixed(1)}`)
  printTable(
    ['statement', 'a list', 'µs a purchase', 'pages', 'WAL records', 'WAL bytes'],
    statements.map(({ calls, micros, pages, records, wal, text }) => [
      text.slice(0, 70),
      (calls / lists).toFixed(2),
      each(micros, 1),
      each(Number(pages)),
      each(records),
      each(wal, 0),
    ]),
  )
}
