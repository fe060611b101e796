-- What members redeemed rewards for. A row keeps all that was said and came of it; its status moves on.

-- status: 1 issued, 2 ordered, 3 shipped, 4 delivered, 5 used, 6 expired, 7 cancelled. version: of the reward. said: what was asked and what
-- of the reward it goes on with. delivery: a name and an address, which may be erased: said has a digest of it. spent, received: [[wallet_id, points, seq of the entry], …], [wallet_id, points, seq]. history: what became of it.
create table redemptions (
  space_id      int not null,
  member_id     uuid not null,
  redemption_id uuid not null,
  program_id    int not null,
  reward_id     int not null,
  version       int not null,
  status        smallint not null,
  digest        uuid not null,
  issued_at     timestamptz not null,
  valid_from    timestamptz not null,
  valid_until   timestamptz,
  uses          int not null,
  used          int not null check (used >= 0 and used <= uses),
  code          text,
  pool_id       int,
  external_id   text,
  said          text not null,
  delivery      text,
  spent         text not null,
  received      text,
  history       text not null,
  primary key (member_id, redemption_id)
);
-- Who redeemed a reward how often, cancelled ones not counted; what is to expire; and who has a code of a pool.
create index redemptions_of_rewards on redemptions (member_id, reward_id, issued_at) where status <> 7;
create index redemptions_of_pools on redemptions (pool_id, code, redemption_id) where pool_id is not null;
create index redemptions_due on redemptions (space_id, valid_until) where status = 1 and valid_until is not null;

-- Up to which event it was looked whether a reward is to be redeemed by itself.
create table auto_redemptions (
  space_id  int not null,
  position  bigint not null,
  primary key (space_id)
);

grant select, insert on redemptions, auto_redemptions to laurel_app;
grant update (status, used, history, delivery) on redemptions to laurel_app;
grant update (position) on auto_redemptions to laurel_app;

do $$
declare t text;
begin
  foreach t in array array['redemptions', 'auto_redemptions'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy own_space on %I to laurel_app
                      using (space_id = (select current_setting(''laurel.space'', true)::int))
                      with check (space_id = (select current_setting(''laurel.space'', true)::int))', t);
  end loop;
end $$;
