-- Purchases that have no member yet, and for how long they may be claimed.

-- Days after it was recorded in which a purchase without a member may be claimed; null: no limit.
alter table programs add column claim_days int default 30 check (claim_days > 0);
grant update (claim_days) on programs to laurel_app;

-- {"at": microseconds, "units": what had come back a line, or null}, where the purchase was kept without a member first: its points
-- were decided on what was left of it then.
alter table purchases add column claimed text;

-- What was bought by nobody that we know. It moves to `purchases` when it is claimed, and goes when it may not be claimed any more.
-- key is that of its external id in `lookups`, whose row names no member meanwhile. version rises with every change.
-- returned: {"units": [a line], "returns": [what came back]}.
create table unclaimed_purchases (
  space_id     int not null,
  key          uuid not null,
  purchase_id  uuid not null,
  version      int not null,
  program_id   int not null,
  total        units not null check (total >= 0),
  occurred_at  timestamptz not null,
  recorded_at  timestamptz not null,
  digest       uuid not null,
  external_id  text not null,
  items        text not null,
  channel      text,
  store        text,
  metadata     text,
  returned     text,
  primary key (space_id, key)
);
create index unclaimed_purchases_by_id on unclaimed_purchases (space_id, purchase_id);
create index unclaimed_purchases_by_age on unclaimed_purchases (space_id, program_id, recorded_at);

grant select, insert, delete on unclaimed_purchases to laurel_app;
grant update (version, returned) on unclaimed_purchases to laurel_app;
alter table unclaimed_purchases enable row level security;
create policy own_space on unclaimed_purchases to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
