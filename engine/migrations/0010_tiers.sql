-- Tiers: what members climb, by what they do in a window, and what that brings them.

-- Its slug never changes. What it says is in its versions.
create table tier_ladders (
  space_id    int not null references spaces,
  ladder_id   int generated always as identity primary key,
  id          uuid not null unique,
  program_id  int not null references programs,
  slug        text not null,
  status      text not null check (status in ('active', 'archived')),
  created_at  timestamptz not null,
  updated_at  timestamptz not null,
  unique (program_id, slug)
);

-- Immutable. terms: what the version says, whole. keeping: the version since which the same is counted, in the same way (metric and
-- window). firm: the newest version up to this one by which everybody was held against it at once. published_in: the
-- space's config_version that made it effective.
create table tier_ladder_versions (
  space_id      int not null references spaces,
  ladder_id     int not null references tier_ladders,
  version       int not null check (version > 0),
  terms         jsonb not null,
  keeping       int not null,
  firm          int not null,
  published_in  bigint not null,
  created_at    timestamptz not null,
  primary key (ladder_id, version)
);

-- What a member holds on a ladder, as it was last written; readers bring it up to now (tiers/tiers.rules.ts). No row: nothing was
-- counted yet. tier: null where none is held. since: from when on; until: when it ends if nothing more counts, null: never. standing:
-- what else is needed to go on from here, as JSON. due_at: when time next changes something of it, never later. Guarded by the member's version.
create table tier_states (
  space_id       int not null,
  member_id      uuid not null,
  ladder_id      int not null,
  version        int not null,
  keeping        int not null,
  tier           text,
  since          timestamptz,
  until          timestamptz,
  standing       text not null,
  manual_tier    text,
  manual_until   timestamptz,
  manual_reason  text,
  manual_by      uuid,
  history_seq    int not null check (history_seq >= 0),
  due_at         timestamptz,
  primary key (member_id, ladder_id)
) with (fillfactor = 80);
-- Who was last held against an older version, for the worker; and who holds what.
create index tier_states_versions on tier_states (space_id, ladder_id, version);

-- What counts, by local day (of occurred_at, in the program's zone) and measure: 1 earned points, 2 spend in minor units, 3 purchases,
-- 4 activities. Net: what comes back is taken off the day of its purchase. A cache of purchases, returns and activities.
create table tier_progress (
  space_id   int not null,
  member_id  uuid not null,
  ladder_id  int not null,
  keeping    int not null,
  measure    smallint not null check (measure in (1, 2, 3, 4)),
  day        date not null,
  amount     bigint not null,
  primary key (member_id, ladder_id, keeping, measure, day)
) with (fillfactor = 80);

-- Every change of a tier. at: when it took effect, never before the change before it. why: as contract/tiers.ts names it.
create table tier_history (
  space_id   int not null,
  member_id  uuid not null,
  ladder_id  int not null,
  seq        int not null check (seq > 0),
  from_tier  text,
  to_tier    text,
  at         timestamptz not null,
  booked_at  timestamptz not null,
  until      timestamptz,
  why        text not null,
  reason     text,
  actor      uuid,
  primary key (member_id, ladder_id, seq)
);

grant select, insert on tier_ladders, tier_ladder_versions, tier_states, tier_progress, tier_history to laurel_app;
grant update (status, updated_at) on tier_ladders to laurel_app;
grant update (version, keeping, tier, since, until, standing, manual_tier, manual_until, manual_reason, manual_by, history_seq, due_at)
  on tier_states to laurel_app;
grant update (amount) on tier_progress to laurel_app;

do $$
declare t text;
begin
  foreach t in array array['tier_ladders', 'tier_ladder_versions', 'tier_states', 'tier_progress', 'tier_history'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy own_space on %I to laurel_app
                      using (space_id = (select current_setting(''laurel.space'', true)::int))
                      with check (space_id = (select current_setting(''laurel.space'', true)::int))', t);
  end loop;
end $$;
