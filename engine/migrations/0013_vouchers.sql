-- Vouchers: codes that take something off an order. They are shared: whoever knows a code may use it, unless it is bound to a
-- member. All that belongs to a voucher is guarded by its version: its locks and uses change only together with it.

-- code_key: of the normalised code. terms: what it gives and when, as JSON. bound_to: the member who alone may use it. source_id: of
-- the redemption that it was issued for, whose id is its own too; when that is cancelled its code may be another's, and so is the row
-- then. uses_total null: no limit. balance: of a gift card, in minor units.
-- status: 1 active, 2 blocked, 3 withdrawn.
create table vouchers (
  space_id         int not null,
  code_key         uuid not null,
  voucher_id       uuid not null,
  version          int not null,
  program_id       int not null,
  code             text not null,
  terms            text not null,
  status           smallint not null check (status in (1, 2, 3)),
  reason           text,
  bound_to         uuid,
  source_id        uuid,
  created_at       timestamptz not null,
  starts_at        timestamptz,
  ends_at          timestamptz,
  uses_total       int check (uses_total > 0),
  used             int not null check (used >= 0),
  initial_balance  units check (initial_balance > 0),
  balance          units check (balance >= 0),
  primary key (space_id, code_key),
  check (used <= uses_total),
  check (balance <= initial_balance),
  check ((balance is null) = (initial_balance is null)),
  check (starts_at < ends_at)
) with (fillfactor = 80);
create index vouchers_by_id on vouchers (space_id, voucher_id);
create index vouchers_of_member on vouchers (space_id, bound_to, voucher_id) where bound_to is not null;

-- What checkouts have set aside until a deadline. amount: of a gift card's balance. A row whose deadline has passed is as good as none.
create table voucher_locks (
  space_id     int not null,
  code_key     uuid not null,
  session_key  uuid not null,
  session      text not null,
  member_id    uuid,
  until        timestamptz not null,
  amount       units check (amount >= 0),
  primary key (space_id, code_key, session_key)
);
create index voucher_locks_of_session on voucher_locks (space_id, session_key);
create index voucher_locks_by_deadline on voucher_locks (space_id, code_key, until);
create index voucher_locks_of_member on voucher_locks (space_id, code_key, member_id) where member_id is not null;

-- Vouchers that were redeemed together on one order. key: of its external id. said: the discounts, a line each, as they were given.
-- rolled_back: [what was taken back, when and why], as JSON. version rises with every change.
create table voucher_redemptions (
  space_id       int not null,
  key            uuid not null,
  redemption_id  uuid not null,
  version        int not null,
  program_id     int not null,
  member_id      uuid,
  external_id    text not null,
  session        text,
  redeemed_at    timestamptz not null,
  digest         uuid not null,
  total          units not null check (total >= 0),
  discount       units not null check (discount >= 0),
  gift           units not null check (gift >= 0),
  said           text not null,
  rolled_back    text,
  primary key (space_id, key),
  check (discount + gift <= total)
);
create index voucher_redemptions_by_id on voucher_redemptions (space_id, redemption_id);

-- One voucher's part in a redemption. place: in the order in which they were applied. given_back: of the amount. undone: the use came
-- back, which is when all of the amount has.
create table voucher_uses (
  space_id        int not null,
  redemption_key  uuid not null,
  redemption_id   uuid not null,
  code_key        uuid not null,
  place           smallint not null,
  member_id       uuid,
  amount          units not null check (amount > 0),
  given_back      units not null check (given_back >= 0),
  undone          boolean not null generated always as (given_back >= amount) stored,
  primary key (space_id, redemption_key, code_key),
  check (given_back <= amount)
);
create index voucher_uses_of_voucher on voucher_uses (space_id, code_key, redemption_id);
create index voucher_uses_of_member on voucher_uses (space_id, code_key, member_id) where member_id is not null;

grant select, insert on vouchers, voucher_locks, voucher_redemptions, voucher_uses to laurel_app;
grant update (voucher_id, version, code, terms, status, reason, bound_to, source_id, created_at, starts_at, ends_at, uses_total, used,
  initial_balance, balance) on vouchers to laurel_app;
grant update (version, rolled_back) on voucher_redemptions to laurel_app;
grant update (given_back) on voucher_uses to laurel_app;
grant delete on voucher_locks to laurel_app;
alter table vouchers enable row level security;
alter table voucher_locks enable row level security;
alter table voucher_redemptions enable row level security;
alter table voucher_uses enable row level security;
create policy own_space on vouchers to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
create policy own_space on voucher_locks to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
create policy own_space on voucher_redemptions to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
create policy own_space on voucher_uses to laurel_app
  using (space_id = (select current_setting('laurel.space', true)::int))
  with check (space_id = (select current_setting('laurel.space', true)::int));
