-- Cards by which members are known at the till, and checkouts: orders whose points are set aside until they are paid.

-- code: as it is looked up (base/codes.ts), and named in `lookups`. rotating: it is taken only with the digits of the moment, which are
-- made of the process's secret: nothing of them is stored. replaced_by: the card that took its place. A card that was blocked stays so.
create table cards (
  space_id     int not null,
  member_id    uuid not null,
  card_id      uuid not null,
  code         text not null,
  rotating     boolean not null,
  issued_at    timestamptz not null,
  blocked_at   timestamptz,
  reason       text,
  replaced_by  uuid,
  primary key (member_id, card_id),
  check ((blocked_at is null) = (reason is null)),
  check (replaced_by is null or blocked_at is not null)
);

grant select, insert on cards to laurel_app;
grant update (blocked_at, reason, replaced_by) on cards to laurel_app;
alter table cards enable row level security;
create policy own_space on cards to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));

-- status: 1 reserved, 2 committed, 3 voided; one past its deadline has lapsed. said: the order as it was asked, as JSON. sums: what
-- was taken off and what is paid how, a line and in all, as JSON. hold_id: of the points that pay, if any do. purchase_id: what became
-- of it when it was committed.
create table checkouts (
  space_id     int not null,
  member_id    uuid not null,
  checkout_id  uuid not null,
  program_id   int not null,
  status       smallint not null check (status in (1, 2, 3)),
  digest       uuid not null,
  external_id  text not null,
  reserved_at  timestamptz not null,
  deadline     timestamptz not null,
  settled_at   timestamptz,
  hold_id      uuid,
  purchase_id  uuid,
  said         text not null,
  sums         text not null,
  primary key (member_id, checkout_id),
  check ((status = 1) = (settled_at is null)),
  check ((status = 2) = (purchase_id is not null))
);

grant select, insert on checkouts to laurel_app;
grant update (status, settled_at, purchase_id) on checkouts to laurel_app;
alter table checkouts enable row level security;
create policy own_space on checkouts to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
