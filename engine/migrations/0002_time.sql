-- Points over time: pending and expiring lots, holds, debts, merged members.

-- An entry may keep points with the member (what is left of a lot goes on under other dates), and a return may take a
-- balance below zero where the wallet's policy says so.
alter table entries drop constraint entries_check;
alter table entries add constraint entries_way check (from_account <> to_account or kind = 7);
alter table entries drop constraint entries_balance_check;

-- due_at: when time next changes something of this member's (activation, expiry, a notice, a hold's deadline), never later; null:
-- never. told_at: up to when time's changes were booked and told. merged_into: whom this member lives on as (status 4).
alter table member_states
  add column due_at      timestamptz,
  add column told_at     timestamptz,
  add column merged_into uuid,
  drop constraint member_states_status_check,
  add constraint member_states_status_check check (status in (1, 2, 3, 4));
create index member_states_due on member_states (space_id, due_at) where due_at is not null;

-- Points set aside for a purpose until a deadline. status: 1 open, 2 captured, 3 released, 4 lapsed (its deadline passed).
-- parts: [{"w": wallet_id, "p": points, "l": [[seq of the lot, points], …]}, …] as it was placed; captured: points a part that were
-- taken, in the same order; null before.
create table holds (
  space_id     int not null,
  member_id    uuid not null,
  hold_id      uuid not null,
  program_id   int not null,
  status       smallint not null check (status in (1, 2, 3, 4)),
  deadline     timestamptz not null,
  placed_at    timestamptz not null,
  settled_at   timestamptz,
  digest       uuid not null,
  reason       text not null,
  external_id  text,
  parts        text not null,
  captured     text,
  primary key (member_id, hold_id)
);
create index holds_open on holds (member_id) where status = 1;

-- What an entry took below zero it takes from later lots: perhaps from one that it took from before, when that was partly held.
-- written: the member's version with which it was; a use is never changed.
alter table lot_uses
  add column written int not null default 0,
  drop constraint lot_uses_pkey,
  add primary key (member_id, seq, lot_seq, written);

grant select, insert on holds to laurel_app;
grant update (status, settled_at, captured) on holds to laurel_app;
alter table holds enable row level security;
create policy own_space on holds to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
