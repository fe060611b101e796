-- What members can redeem points for, how much of it there is, and the codes that it comes with.

-- A reward: its slug and kind never change. What it costs, for whom it is and so on is in its versions.
create table rewards (
  space_id    int not null references spaces,
  reward_id   int generated always as identity primary key,
  id          uuid not null unique,
  program_id  int not null references programs,
  slug        text not null,
  kind        text not null,
  status      text not null check (status in ('draft', 'active', 'archived')),
  revision    int not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  unique (program_id, slug)
);

-- Immutable: a redemption names the version that it was of. terms: what decides; shown: what members see (contract/rewards.ts).
create table reward_versions (
  space_id    int not null references spaces,
  reward_id   int not null references rewards,
  version     int not null check (version > 0),
  name        text not null,
  category    text,
  terms       jsonb not null,
  shown       jsonb not null,
  created_at  timestamptz not null,
  primary key (reward_id, version)
);

-- What members call a category of rewards, by language, and where it stands among others. Rewards name it by its slug, which never
-- changes; they may name one that is not here.
create table reward_categories (
  space_id    int not null references spaces,
  id          uuid not null unique,
  program_id  int not null references programs,
  slug        text not null,
  position    int not null,
  texts       jsonb not null,
  revision    int not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  primary key (program_id, slug)
);

-- Shared by all members: how often a reward was redeemed, in all (period all) and by local periods, cancelled redemptions not counted.
-- Taken by a guarded update, never read and then written.
create table stock (
  space_id   int not null,
  reward_id  int not null,
  period     text collate "C" not null,
  taken      int not null check (taken >= 0),
  primary key (space_id, reward_id, period)
) with (fillfactor = 25);

-- A pool of codes, numbered from 1 to last in the order in which they came; those up to `next` were handed out.
-- returned: how many of them came back, each under another number. reusable: whether a code of a cancelled redemption does.
-- told_at: when it was told that so few are left.
create table code_pools (
  space_id    int not null references spaces,
  pool_id     int generated always as identity primary key,
  id          uuid not null unique,
  program_id  int not null references programs,
  slug        text not null,
  name        text not null,
  reusable    boolean not null,
  low_at      int check (low_at >= 0),
  next        int not null default 0 check (next >= 0 and next <= last),
  last        int not null default 0 check (last >= 0),
  returned    int not null default 0 check (returned >= 0),
  low         boolean not null generated always as (low_at is not null and last - next <= low_at) stored,
  told_at     timestamptz,
  revision    int not null default 1,
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  unique (program_id, slug)
) with (fillfactor = 25);
create index code_pools_to_tell on code_pools (space_id, pool_id) where low and told_at is null;

-- Immutable. key: of the code's text, unique in the space. again: it was handed out before under another number, and came back unused.
create table pool_codes (
  space_id  int not null,
  pool_id   int not null,
  seq       int not null check (seq > 0),
  code      text not null,
  key       uuid not null,
  again     boolean not null,
  primary key (space_id, pool_id, seq)
);
create unique index pool_codes_by_key on pool_codes (space_id, key) where not again;

grant select, insert on rewards, reward_versions, reward_categories, stock, code_pools, pool_codes to laurel_app;
grant update (status, revision, updated_at) on rewards to laurel_app;
grant update (position, texts, revision, updated_at) on reward_categories to laurel_app;
grant update (taken) on stock to laurel_app;
grant update (name, reusable, low_at, next, last, returned, told_at, revision, updated_at) on code_pools to laurel_app;

do $$
declare t text;
begin
  foreach t in array array['rewards', 'reward_versions', 'reward_categories', 'stock', 'code_pools', 'pool_codes'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy own_space on %I to laurel_app
                      using (space_id = (select current_setting(''laurel.space'', true)::int))
                      with check (space_id = (select current_setting(''laurel.space'', true)::int))', t);
  end loop;
end $$;
