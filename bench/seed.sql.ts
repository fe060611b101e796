import { CURRENCY, ENROLLED_EVERY_MS, ENROLLED_FROM_MS, EXTERNAL_DIGITS, PROGRAM } from './population.ts'

/**
 * Statements that fill a migrated, empty database as if members had been enrolled and purchases recorded one by one:
 * ids, lookups, digests, the hash chain and the cached wallets are what the engine would have made of them, so that
 * `laurel verify` passes on the result. Left out is what is only kept for a while or read by others: idempotency keys, and the
 * outbox.
 */

/** Purchases happened between these instants, evenly spread; in microseconds. */
const FROM = Date.UTC(2026, 0, 1) * 1000
const UNTIL = Date.UTC(2026, 10, 1) * 1000

/** base/keys.ts: SHA-256 of the bytes, cut to a UUID. */
const uuidOf = (bytes: string) => `encode(substr(sha256(${bytes}), 1, 16), 'hex')::uuid`
const keyOf = (kind: string, text: string) =>
  `${uuidOf(`'${kind}'::bytea || '\\x00'::bytea || convert_to(${text}, 'UTF8')`)}`
/** A UUID version 7 whose random part comes from a text. */
const uuid7 = (ms: string, seed: string) =>
  `(lpad(to_hex(${ms}), 12, '0') || '7000' || '8' || substr(md5(${seed}), 1, 15))::uuid`
const at = (micros: string) => `timestamptz 'epoch' + (${micros}) * interval '1 microsecond'`
const money = (minor: string) => `(${minor} / 100) || '.' || lpad((${minor} % 100)::text, 2, '0') || ' ${CURRENCY}'`

/** One program that new customers join by buying; two rules, of which the second never fires here. */
export const CONFIGURATION = `
  insert into programs (space_id, id, slug, name, timezone, currency, join_policy, status, created_at, updated_at)
    values (1, '01900000-0000-7000-8000-000000000001', '${PROGRAM}', 'Bench', 'Europe/London', '${CURRENCY}', 'on_first_purchase', 'active', now(), now());
  insert into wallets (space_id, program_id, slug, created_at, updated_at)
    select 1, program_id, 'points', now(), now() from programs;
  insert into earning_rules (space_id, id, program_id, created_at)
    select 1, r.id::uuid, program_id, now()
      from programs, unnest('{01900000-0000-7000-8000-000000000002,01900000-0000-7000-8000-000000000003}'::text[]) as r(id);
  insert into earning_rule_versions (space_id, rule_id, version, name, kind, wallet_id, args, published_in, created_at)
    select 1, rule_id, 1, name, kind, wallet_id, args::jsonb, 2, now()
      from wallets, earning_rules join (values
        ('01900000-0000-7000-8000-000000000002'::uuid, 'A point a pound', 'per_amount', '{"points":1,"per":100}'),
        ('01900000-0000-7000-8000-000000000003', 'Gifts', 'per_item', '{"points":25,"categories":["gifts"]}')
      ) as v(id, name, kind, args) using (id);
  insert into earning_rule_states (space_id, rule_id, config_version, status, changed_at) select 1, rule_id, 2, 'active', now() from earning_rules;
  update spaces set config_version = 2 where space_id = 1;
`

export const KEY = `
  insert into api_keys (space_id, key_id, name, hint, key_hash, scopes)
    select 1, gen_random_uuid(), 'Bench', 'bench', sha256($1::bytea), '{*}'`

/** What every member has to begin with, in a table of work: number, id, state of the books. */
export const work = (members: number) => `
  create unlogged table bench_work as
    select n, id as member_id, encode(sha256(convert_to(id::text, 'UTF8')), 'hex') as chain, 0::bigint as balance, 0 as seq
      from (select n, ${uuid7(`(${ENROLLED_FROM_MS} + n * ${ENROLLED_EVERY_MS}::bigint)`, 'n::text')} as id from generate_series(1, ${members}) n) m
     order by n`

const externalId = (n: string) => `'m' || lpad(${n}::text, ${EXTERNAL_DIGITS}, '0')`
export const PROFILES = [
  `insert into members (space_id, member_id, external_id, status, created_at, updated_at)
     select 1, member_id, ${externalId('n')}, 'active', t, t
       from bench_work, lateral (select ${at(`(${ENROLLED_FROM_MS} + n * ${ENROLLED_EVERY_MS}::bigint) * 1000`)}) as at(t) order by n`,
  `insert into lookups (space_id, key, member_id) select 1, ${keyOf('member.external', externalId('n'))}, member_id from bench_work`,
]

/**
 * One more purchase, with one entry, for every member (or as many as are left of `total`, spread over all): numbers
 * `first` and up. A member's chain goes on from the purchase before.
 */
export function purchases(members: number, first: number, total: number): string[] {
  const count = Math.min(members, total - first)
  const micros = `(${FROM} + (${first} + row_number() over (order by n)) * ${Math.floor((UNTIL - FROM) / total)}::bigint)`
  return [
    'drop table if exists bench_step',
    `create unlogged table bench_step as
       with chosen as (select *, ${micros} as t from bench_work where n::bigint * 7919 % ${members} < ${count}),
       bought as (
         select n, member_id, chain, balance, seq + 1 as seq, t, 1000 + abs(hashint8(n + 13 * ${first}::bigint)) % 1000 as a,
                1000 + abs(hashint8(n + 17 * ${first}::bigint)) % 1000 as b,
                'p-' || md5(n || '/' || ${first}) as external_id, ${uuid7('t / 1000', `n || '/' || ${first}`)} as purchase_id
           from chosen),
       said as (
         select *, format('[{"line":"1","sku":"sku-%s","name":"Flat white","category":"drinks","quantity":2,"amount":%s},'
                  '{"line":"2","sku":"sku-%s","name":"Almond croissant","category":"bakery","quantity":1,"amount":%s}]',
                  lpad((n % 1000)::text, 3, '0'), a, lpad((n / 1000 % 1000)::text, 3, '0'), b) as items, (a + b) / 100 as points
           from bought),
       digested as (
         select *, ${uuidOf(`convert_to(member_id || '|1|' || t || '|${CURRENCY}|' || items || '|["pos","high-street"]|null', 'UTF8')`)} as digest
           from said)
       select *, encode(sha256(convert_to(chain || '|' || seq || '|1|1|2|1|1||' || points || '|' || balance + points || '|' || t || '|' || t
                || '|' || t || '||' || purchase_id || '|' || digest || '|', 'UTF8')), 'hex') as hash
         from digested order by t`,
    `insert into purchases (space_id, member_id, purchase_id, program_id, config_version, total, occurred_at, recorded_at, digest, external_id,
                            items, awards, channel, store)
       select 1, member_id, purchase_id, 1, 2, a + b, ${at('t')}, ${at('t')}, digest, external_id, items,
              '[[1,' || points || ',"1 point per 1.00 ${CURRENCY} on ' || ${money('(a + b)')} || '",' || seq || ']]', 'pos', 'high-street' from bench_step`,
    `insert into entries (space_id, member_id, seq, wallet_id, kind, from_account, to_account, rule_version_id, points, balance,
                          occurred_at, booked_at, activates_at, source_id, digest, hash)
       select 1, member_id, seq, 1, 1, 2, 1, 1, points, balance + points, ${at('t')}, ${at('t')}, ${at('t')}, purchase_id, digest, decode(hash, 'hex')
         from bench_step`,
    `insert into lookups (space_id, key, member_id, object_id) select 1, ${keyOf('purchase', 'external_id')}, member_id, purchase_id from bench_step`,
    `create unlogged table bench_next as
       select n, w.member_id, coalesce(s.hash, w.chain) as chain, coalesce(s.balance + s.points, w.balance) as balance, coalesce(s.seq, w.seq) as seq
         from bench_work w left join bench_step s using (n) order by n`,
    'drop table bench_step',
    'drop table bench_work',
    'alter table bench_next rename to bench_work',
  ]
}

/** Books as the purchases left them; nothing was told of them. */
export const STATES = [
  `insert into member_states (space_id, member_id, status, version, entry_seq, event_seq, chain, wallets)
     select 1, member_id, 1, seq, seq, 0, decode(chain, 'hex'),
            case when seq = 0 then '[]' else '[{"w":1,"b":' || balance || ',"e":' || balance || ',"s":0,"r":0,"x":0,"a":0,"o":1}]' end
       from bench_work order by n`,
  'drop table bench_work',
]

/** Keys and indexes of the tables that grow: dropped before they are filled, made again after. */
export const INDEXES = `
  select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
         format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as make
    from pg_constraint where contype in ('p', 'u') and conrelid = any ($1::regclass[])
  union all
  select format('drop index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    from pg_index where indrelid = any ($1::regclass[]) and not exists (select from pg_constraint where conindid = indexrelid)`

export const GROWING = ['members', 'member_states', 'lookups', 'purchases', 'entries']
