-- Members merged into others. The merged one keeps its id and names, which lead to the one it lives on as.

alter table members
  add column merged_into uuid,
  drop constraint members_status_check,
  add constraint members_status_check check (status in ('active', 'suspended', 'closed', 'merged'));
create index members_merged on members (space_id, merged_into) where merged_into is not null;
grant update (merged_into) on members to laurel_app;

-- member_id: whom the other was merged into. lots: [[wallet_id, seq of the other's lot, seq of the lot it goes on as, points, source], …];
-- debts: [[wallet_id, points], …] that came along. undone: as lots, what went back. status: what the other's was.
create table merges (
  space_id   int not null,
  member_id  uuid not null,
  merge_id   uuid not null,
  other_id   uuid not null,
  status     smallint not null,
  reason     text not null,
  digest     uuid not null,
  merged_at  timestamptz not null,
  undone_at  timestamptz,
  lots       text not null,
  debts      text not null,
  undone     text,
  primary key (member_id, merge_id)
);

create index merges_of_others on merges (other_id);

grant select, insert on merges to laurel_app;
grant update (undone_at, undone) on merges to laurel_app;
alter table merges enable row level security;
create policy own_space on merges to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
