-- Points added or taken by hand: what was asked, and what became of it. Those above their wallet's limit wait until another key
-- has approved them; the entry's source is the adjustment. entry_member: whom it was booked on, who may be somebody that the
-- member was merged into meanwhile.

create table adjustments (
  space_id       int not null,
  member_id      uuid not null,
  adjustment_id  uuid not null,
  wallet_id      int not null,
  points         units not null check (points <> 0),
  reason         text not null,
  code           text,
  status         smallint not null check (status in (1, 2, 3, 4)),
  requested_at   timestamptz not null,
  requested_by   uuid,
  decided_at     timestamptz,
  decided_by     uuid,
  decision       text,
  entry_member   uuid,
  entry_seq      int,
  primary key (adjustment_id, member_id),
  check ((status in (1, 3)) = (entry_seq is not null)),
  check ((status in (3, 4)) = (decided_at is not null))
);
create index adjustments_by_status on adjustments (space_id, status, adjustment_id);
create index adjustments_of_member on adjustments (member_id, adjustment_id);

grant select, insert on adjustments to laurel_app;
grant update (status, decided_at, decided_by, decision, entry_member, entry_seq) on adjustments to laurel_app;

alter table adjustments enable row level security;
create policy own_space on adjustments to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
