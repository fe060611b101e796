-- Laurel's ground: spaces, keys, programs, rules, members, purchases, the ledger and the outbox.
--
-- Three families of tables (docs/decisions/0002-slim-rows.md):
--   configuration   small, changed rarely; on Citus a reference table
--   member-owned    primary key and unique indexes contain member_id, the distribution column
--   lookup, outbox  keyed by exactly what must be unique; distributed by that key
-- Every table carries space_id (tenant × live/test) and a row security policy on it.
-- Points and money are whole numbers within ±(2^53 − 1), so that every JSON reader sees them exactly.

create domain units as bigint check (value between -9007199254740991 and 9007199254740991);

-- ── configuration ────────────────────────────────────────────────────────────────────────────────

-- One row a space. config_version rises with every change of programs, wallets and rules: processes
-- compare it on every load, so that a pause holds from the next request everywhere.
create table spaces (
  space_id        int generated always as identity primary key,
  tenant          text not null,
  mode            text not null check (mode in ('live', 'test')),
  config_version  bigint not null default 1,
  last_position   bigint not null default 0,
  created_at      timestamptz not null default now(),
  unique (tenant, mode)
);

-- Secret keys, hashed (SHA-256 of 256 random bits); shown once when made.
create table api_keys (
  space_id    int not null references spaces,
  key_id      uuid primary key,
  name        text not null,
  hint        text not null,
  key_hash    bytea not null unique,
  scopes      text[] not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz,
  revoked_at  timestamptz
);

create table programs (
  space_id     int not null references spaces,
  program_id   int generated always as identity primary key,
  id           uuid not null unique,
  slug         text not null,
  name         text not null,
  timezone     text not null,
  currency     text not null check (currency ~ '^[A-Z]{3}$'),
  join_policy  text not null check (join_policy in ('explicit', 'on_first_purchase')),
  status       text not null check (status in ('active', 'paused')),
  revision     int not null default 1,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  unique (space_id, slug)
);

create table wallets (
  space_id    int not null references spaces,
  wallet_id   int generated always as identity primary key,
  program_id  int not null references programs,
  slug        text not null,
  created_at  timestamptz not null,
  unique (program_id, slug)
);

-- A rule's head. What it says is in its versions, whether it runs in its states.
create table earning_rules (
  space_id    int not null references spaces,
  rule_id     int generated always as identity primary key,
  id          uuid not null unique,
  program_id  int not null references programs,
  created_at  timestamptz not null
);

-- Immutable. Effective over [effective_from, the next version's effective_from) of a purchase's
-- occurredAt; null reaches back without limit. published_in is the space's config_version that made it
-- effective: a purchase that froze an older one is decided again without it.
create table earning_rule_versions (
  space_id         int not null references spaces,
  rule_version_id  int generated always as identity primary key,
  rule_id          int not null references earning_rules,
  version          int not null check (version > 0),
  name             text not null,
  kind             text not null,
  wallet_id        int not null references wallets,
  args             jsonb not null,
  priority         int not null default 0,
  effective_from   timestamptz,
  starts_at        timestamptz,
  ends_at          timestamptz,
  published_in     bigint not null,
  created_at       timestamptz not null,
  unique (rule_id, version)
);

-- Append-only: from config_version on, the rule has this status.
create table earning_rule_states (
  space_id        int not null references spaces,
  rule_id         int not null references earning_rules,
  config_version  bigint not null,
  status          text not null check (status in ('draft', 'active', 'paused', 'archived')),
  changed_at      timestamptz not null,
  primary key (rule_id, config_version)
);

-- ── member-owned ─────────────────────────────────────────────────────────────────────────────────

-- The profile, which operators edit (guarded by revision = ETag).
create table members (
  space_id     int not null references spaces,
  member_id    uuid not null,
  external_id  text,
  email        text,
  phone        text,
  name         text,
  birth_date   date,
  locale       text,
  attributes   jsonb not null default '{}',
  status       text not null check (status in ('active', 'suspended', 'closed')),
  revision     int not null default 1,
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  primary key (space_id, member_id)
);

-- The guard of everything that a member owns: whoever changes any of it raises version from the value
-- that was read. Slim and apart from the profile; room is left on each page for updates in place.
-- wallets caches the entries: [{"w": wallet_id, "b": balance, "e": earned, "s": spent, "r": reversed,
-- "x": expired, "a": adjusted, "o": lowest seq that may be an open lot}], lifetime counters in points.
create table member_states (
  space_id   int not null,
  member_id  uuid primary key,
  status     smallint not null check (status in (1, 2, 3)),
  version    int not null,
  entry_seq  int not null,
  event_seq  int not null,
  chain      bytea not null,
  wallets    text not null
) with (fillfactor = 75);

-- What was bought, as it was said. returned is the only thing that changes: units taken back a line,
-- and what that took from the ledger (purchases/README.md). Keyed by purchase_id first, which only ever grows: a purchase
-- touches the last page of the index, not a random one. A member's purchases are found by the entries that they made,
-- and those that gave no points by an index of their own.
create table purchases (
  space_id        int not null,
  member_id       uuid not null,
  purchase_id     uuid not null,
  program_id      int not null,
  config_version  bigint not null,
  total           units not null check (total >= 0),
  occurred_at     timestamptz not null,
  recorded_at     timestamptz not null,
  digest          uuid not null,
  external_id     text not null,
  items           text not null,
  awards          text not null,
  channel         text,
  store           text,
  metadata        text,
  returned        text,
  primary key (purchase_id, member_id)
);
create index purchases_without_points on purchases (member_id, purchase_id) where awards = '[]';

create table returns (
  space_id     int not null,
  member_id    uuid not null,
  return_id    uuid not null,
  program_id   int not null,
  occurred_at  timestamptz not null,
  recorded_at  timestamptz not null,
  digest       uuid not null,
  external_id  text not null,
  purchase_id  uuid,
  asked        text not null,
  lines        text not null,
  unmatched    text not null,
  taken        text not null,
  primary key (member_id, return_id)
);

-- Immutable: points move from one account to another and say why. Accounts and kinds are listed in
-- ledger/README.md. An entry that credits the member opens a lot (activates_at, expires_at). hash chains a member's
-- entries in booking order. balance is the member's account in that wallet after the entry.
create table entries (
  space_id         int not null,
  member_id        uuid not null,
  seq              int not null,
  wallet_id        int not null,
  kind             smallint not null,
  from_account     smallint not null,
  to_account       smallint not null,
  rule_version_id  int,
  reverses         int,
  points           units not null check (points > 0),
  balance          units not null check (balance >= 0),
  occurred_at      timestamptz not null,
  booked_at        timestamptz not null,
  activates_at     timestamptz,
  expires_at       timestamptz,
  source_id        uuid not null,
  digest           uuid not null,
  hash             bytea not null,
  reason           text,
  external_id      text,
  actor            uuid,
  primary key (member_id, seq),
  check (from_account <> to_account)
);

-- What is left of a lot, from the first time that something takes from it: an entry that opened a lot and has no
-- row here is whole. seq is the opening entry's.
create table lots (
  space_id   int not null,
  member_id  uuid not null,
  seq        int not null,
  remaining  units not null check (remaining >= 0),
  primary key (member_id, seq)
);

-- Immutable: entry `seq` took `points` from lot `lot_seq` (negative: gave back to it).
create table lot_uses (
  space_id   int not null,
  member_id  uuid not null,
  seq        int not null,
  lot_seq    int not null,
  points     units not null check (points <> 0),
  primary key (member_id, seq, lot_seq)
);

-- ── lookups, idempotency, outbox ─────────────────────────────────────────────────────────────────

-- What must be unique across members: key = SHA-256 of (kind, text), cut to 128 bits (base/keys.ts).
-- Points at a member, and at the purchase or return (object_id) or entry (seq) that was so named.
create table lookups (
  space_id   int not null,
  key        uuid not null,
  member_id  uuid not null,
  object_id  uuid,
  seq        int,
  primary key (space_id, key)
);

-- The first answer to an Idempotency-Key, word for word. Kept 30 days.
create table idempotency_keys (
  space_id    int not null,
  key         uuid not null,
  request     uuid not null,
  status      smallint not null,
  answer      text not null,
  created_at  timestamptz not null,
  primary key (space_id, key)
);
create index idempotency_keys_by_age on idempotency_keys using brin (created_at);

-- Events, one row a transaction: written with what they tell of, numbered after commit (position).
-- events: [[type, member_id, sequence, reference…], …] refers to rows rather than copying them.
create table outbox (
  space_id        int not null,
  batch           bigint generated always as identity,
  batch_id        uuid not null,
  first_position  bigint,
  count           int not null check (count > 0),
  recorded_at     timestamptz not null,
  events          text not null,
  primary key (space_id, batch)
);
-- Written once and read in order: not worth the processor's time to compress.
alter table outbox alter events set storage external;
create index outbox_unnumbered on outbox (space_id, batch) where first_position is null;
create unique index outbox_by_position on outbox (space_id, first_position) where first_position is not null;

-- ── who may do what ──────────────────────────────────────────────────────────────────────────────

-- The application's role owns nothing, cannot pass row security, and cannot change or delete history.
do $$
begin
  if not exists (select from pg_roles where rolname = 'laurel_app') then
    create role laurel_app nologin nosuperuser nobypassrls;
  end if;
  -- From PostgreSQL 16 on, whoever makes a role may administer it, but not yet become it.
  if not pg_has_role(current_user, 'laurel_app',
      case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then
    execute format('grant laurel_app to %I', current_user);
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

grant usage on schema public to laurel_app;
grant select, insert on all tables in schema public to laurel_app;
revoke insert on spaces from laurel_app;
grant update (config_version, last_position) on spaces to laurel_app;
grant update (revoked_at, expires_at) on api_keys to laurel_app;
grant update (name, timezone, status, join_policy, revision, updated_at) on programs to laurel_app;
grant update (external_id, email, phone, name, birth_date, locale, attributes, status, revision, updated_at) on members to laurel_app;
grant update on member_states to laurel_app;
grant update (returned) on purchases to laurel_app;
grant update (remaining) on lots to laurel_app;
grant update (first_position) on outbox to laurel_app;
grant delete on lookups to laurel_app;
grant delete on idempotency_keys to laurel_app;

-- A caller's key is found before its space is known: by hash alone, through this one door.
create function space_of_key(hash bytea) returns table (space_id int, mode text, key_id uuid, scopes text[])
language sql stable security definer set search_path = public as $$
  select k.space_id, s.mode, k.key_id, k.scopes
    from api_keys k join spaces s using (space_id)
   where k.key_hash = hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
$$;

do $$
declare t text;
begin
  for t in select tablename from pg_tables where schemaname = 'public'
             and tablename in ('spaces', 'api_keys', 'programs', 'wallets', 'earning_rules', 'earning_rule_versions',
               'earning_rule_states', 'members', 'member_states', 'purchases', 'returns', 'entries', 'lots', 'lot_uses',
               'lookups', 'idempotency_keys', 'outbox') loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy own_space on %I to laurel_app
                      using (space_id = (select current_setting(''laurel.space'', true)::int))
                      with check (space_id = (select current_setting(''laurel.space'', true)::int))', t);
  end loop;
end $$;

insert into spaces (tenant, mode) values ('default', 'live'), ('default', 'test');
