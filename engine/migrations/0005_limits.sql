-- Limits of what rules give: what a member was given a period, and what a rule gave all members together.

-- A cache of entries and purchases, counted by occurred_at in the program's local time. scope: 1 a rule, 2 a wallet, 3 a program's
-- purchases. period: as the calendar names it (2027-03-28, 2027-W12, 2027-03, 2027, all). times: purchases or
-- activities that gave something (scope 3: purchases). Guarded by the member's version, like all that a member owns.
create table counters (
  space_id   int not null,
  member_id  uuid not null,
  scope      smallint not null check (scope in (1, 2, 3)),
  scope_id   int not null,
  period     text collate "C" not null,
  times      int not null check (times >= 0),
  points     units not null check (points >= 0),
  last_at    timestamptz,
  kept_at    timestamptz not null,
  primary key (member_id, scope, scope_id, period)
) with (fillfactor = 80);

-- Shared by all members: what a rule gave of its budget, a period. Taken by a guarded update, never read and then
-- written. points_limit: what the budget was when it was last taken from. told_at: when it was told that it is used up.
create table budgets (
  space_id      int not null,
  rule_id       int not null,
  period        text collate "C" not null,
  points_spent  units not null check (points_spent >= 0),
  points_limit  units not null,
  spent         boolean not null generated always as (points_spent >= points_limit) stored,
  told_at       timestamptz,
  primary key (space_id, rule_id, period)
) with (fillfactor = 25);
create index budgets_to_tell on budgets (space_id, rule_id, period) where spent and told_at is null;

-- What a purchase was decided on besides its lines and the rules, as JSON: null where nothing else was looked at.
alter table purchases add column frozen text;

grant select, insert on counters, budgets to laurel_app;
grant update (times, points, last_at, kept_at) on counters to laurel_app;
grant update (points_spent, points_limit, told_at) on budgets to laurel_app;
alter table counters enable row level security;
alter table budgets enable row level security;
create policy own_space on counters to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
create policy own_space on budgets to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
