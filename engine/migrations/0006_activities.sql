-- Activities of members that are not purchases, as programs define them, and the moments of a member's life.

-- A kind of activity: its slug never changes. What its data must look like is in its versions.
create table activity_types (
  space_id          int not null references spaces,
  activity_type_id  int generated always as identity primary key,
  id                uuid not null unique,
  program_id        int not null references programs,
  slug              text not null,
  name              text not null,
  status            text not null check (status in ('active', 'archived')),
  revision          int not null default 1,
  created_at        timestamptz not null,
  updated_at        timestamptz not null,
  unique (program_id, slug)
);

-- Immutable. schema: JSON Schema (draft 2020-12) of data, as it was said.
create table activity_type_versions (
  space_id          int not null references spaces,
  activity_type_id  int not null references activity_types,
  version           int not null check (version > 0),
  schema            text not null,
  created_at        timestamptz not null,
  primary key (activity_type_id, version)
);

-- What a member did, as it was said, and what rules gave for it. Immutable. type: the slug of an activity type, version: which of its
-- schemas data was checked by; or a moment of life (member.birthday …), version 0, external_id then saying which one (activities/README.md).
create table activities (
  space_id        int not null,
  member_id       uuid not null,
  activity_id     uuid not null,
  program_id      int not null,
  type            text not null,
  version         int not null check (version >= 0),
  config_version  bigint not null,
  occurred_at     timestamptz not null,
  recorded_at     timestamptz not null,
  digest          uuid not null,
  external_id     text not null,
  data            text not null,
  awards          text not null,
  frozen          text,
  primary key (activity_id, member_id)
);
create index activities_of_member on activities (member_id, activity_id);

-- When a moment of this member's life may be due: looked at when a rule listens to moments, and set on to the next one. Whoever joins is
-- looked at first, and after every change of the profile.
alter table members add column life_at timestamptz default now();
create index members_by_life on members (space_id, life_at) where life_at is not null;

-- What the rules of a space listen to, as every member was last looked at for it; looked_at: how far the present look has come.
create table moment_plans (
  space_id   int primary key references spaces,
  plan       text not null,
  next_plan  text,
  looked_at  uuid
);

grant select, insert on activity_types, activity_type_versions, activities, moment_plans to laurel_app;
grant update (name, status, revision, updated_at) on activity_types to laurel_app;
grant update (plan, next_plan, looked_at) on moment_plans to laurel_app;
grant update (life_at) on members to laurel_app;

do $$
declare t text;
begin
  foreach t in array array['activity_types', 'activity_type_versions', 'activities', 'moment_plans'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy own_space on %I to laurel_app
                      using (space_id = (select current_setting(''laurel.space'', true)::int))
                      with check (space_id = (select current_setting(''laurel.space'', true)::int))', t);
  end loop;
end $$;
