-- What a wallet said before of when points begin and end, oldest first: points that wait for an event begin and end as was
-- said when they were given. Of what was changed before this, nothing is known.

alter table wallets add column past jsonb not null default '[]';

grant update (past) on wallets to laurel_app;
