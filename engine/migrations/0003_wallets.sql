-- Wallets say how they behave: when points begin and end, what may be done with them (contract/wallets.ts). What is
-- not in settings is as the code's defaults say, so that wallets from before are what they were.

alter table wallets
  add column settings    jsonb not null default '{}',
  add column revision    int not null default 1,
  add column updated_at  timestamptz not null default now();
update wallets set updated_at = created_at;
alter table wallets alter column updated_at drop default;

grant update (settings, revision, updated_at) on wallets to laurel_app;
