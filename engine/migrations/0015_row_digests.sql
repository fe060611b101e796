-- Rows that their verbs change say in all what their digest was taken of (engine/base/row-digests.ts), so that one that was changed past
-- Laurel is found. Written by the statement that writes the row; here for the rows that are there already.

create function digest_of_row(variadic said text[]) returns uuid language sql immutable as $$
  select encode(substring(sha256(string_agg(convert_to(coalesce('=' || one, '-'), 'UTF8'), '\x00'::bytea order by n)) from 1 for 16), 'hex')::uuid
    from unnest(said) with ordinality as s(one, n)
$$;
create function micros(at timestamptz) returns text language sql immutable as $$
  select (extract(epoch from at) * 1000000)::bigint::text
$$;

alter table vouchers add column row_digest uuid;
alter table voucher_locks add column row_digest uuid;
alter table voucher_redemptions add column row_digest uuid;
alter table voucher_uses add column row_digest uuid;
alter table redemptions add column row_digest uuid;
alter table cards add column row_digest uuid;
alter table checkouts add column row_digest uuid;
alter table holds add column row_digest uuid;
alter table returns add column row_digest uuid;
alter table merges add column row_digest uuid;
alter table adjustments add column row_digest uuid;
alter table unclaimed_purchases add column row_digest uuid;
alter table outbox add column row_digest uuid;
-- Written right after the row, which SQL numbers; of a pool what was set up.
alter table rewards add column row_digest uuid;
alter table reward_versions add column row_digest uuid;
alter table code_pools add column row_digest uuid;

update vouchers set row_digest = digest_of_row('vouchers', space_id::text, code_key::text, voucher_id::text, version::text,
  program_id::text, code, terms, status::text, reason, bound_to::text, source_id::text, micros(created_at), micros(starts_at),
  micros(ends_at), uses_total::text, used::text, initial_balance::text, balance::text);
update voucher_locks set row_digest = digest_of_row('voucher_locks', space_id::text, code_key::text, session_key::text, session,
  member_id::text, micros(until), amount::text);
update voucher_redemptions set row_digest = digest_of_row('voucher_redemptions', space_id::text, key::text, redemption_id::text,
  version::text, program_id::text, member_id::text, external_id, session, micros(redeemed_at), digest::text, total::text,
  discount::text, gift::text, said, rolled_back);
update voucher_uses set row_digest = digest_of_row('voucher_uses', space_id::text, redemption_key::text, redemption_id::text,
  code_key::text, place::text, member_id::text, amount::text, given_back::text);
update redemptions set row_digest = digest_of_row('redemptions', space_id::text, member_id::text, redemption_id::text,
  digest::text, status::text, used::text, spent, received, history);
update cards set row_digest = digest_of_row('cards', space_id::text, member_id::text, card_id::text, code, rotating::text,
  micros(issued_at), micros(blocked_at), reason, replaced_by::text);
update checkouts set row_digest = digest_of_row('checkouts', space_id::text, member_id::text, checkout_id::text, program_id::text,
  status::text, digest::text, external_id, micros(reserved_at), micros(deadline), micros(settled_at), hold_id::text,
  purchase_id::text, said, sums);
update holds set row_digest = digest_of_row('holds', space_id::text, member_id::text, hold_id::text, program_id::text, status::text,
  micros(deadline), micros(placed_at), micros(settled_at), digest::text, reason, external_id, parts, captured);
update returns set row_digest = digest_of_row('returns', space_id::text, member_id::text, return_id::text, program_id::text,
  micros(occurred_at), micros(recorded_at), digest::text, external_id, purchase_id::text, asked, lines, unmatched, taken);
update merges set row_digest = digest_of_row('merges', space_id::text, member_id::text, merge_id::text, other_id::text, status::text,
  reason, digest::text, micros(merged_at), micros(undone_at), lots, debts, undone);
update adjustments set row_digest = digest_of_row('adjustments', space_id::text, member_id::text, adjustment_id::text,
  wallet_id::text, points::text, reason, code, status::text, micros(requested_at), requested_by::text, micros(decided_at),
  decided_by::text, decision, entry_member::text, entry_seq::text);
update unclaimed_purchases set row_digest = digest_of_row('unclaimed_purchases', space_id::text, key::text, purchase_id::text,
  version::text, program_id::text, total::text, micros(occurred_at), micros(recorded_at), digest::text, external_id, items, channel,
  store, metadata, returned);
update outbox set row_digest = digest_of_row('outbox', space_id::text, batch_id::text, count::text, micros(recorded_at), events);
update rewards set row_digest = digest_of_row('rewards', space_id::text, reward_id::text, id::text, program_id::text, slug, kind, status,
  revision::text, micros(created_at), micros(updated_at));
update reward_versions set row_digest = digest_of_row('reward_versions', space_id::text, reward_id::text, version::text, name, category,
  terms::text, shown::text, micros(created_at));
update code_pools set row_digest = digest_of_row('code_pools', space_id::text, pool_id::text, id::text, program_id::text, slug, name,
  reusable::text, low_at::text, revision::text, micros(created_at), micros(updated_at));

alter table vouchers alter column row_digest set not null;
alter table voucher_locks alter column row_digest set not null;
alter table voucher_redemptions alter column row_digest set not null;
alter table voucher_uses alter column row_digest set not null;
alter table redemptions alter column row_digest set not null;
alter table cards alter column row_digest set not null;
alter table checkouts alter column row_digest set not null;
alter table holds alter column row_digest set not null;
alter table returns alter column row_digest set not null;
alter table merges alter column row_digest set not null;
alter table adjustments alter column row_digest set not null;
alter table unclaimed_purchases alter column row_digest set not null;
alter table outbox alter column row_digest set not null;

drop function digest_of_row(text[]);
drop function micros(timestamptz);

grant update (row_digest) on vouchers, voucher_redemptions, voucher_uses, redemptions, cards, checkouts, holds,
  merges, adjustments, unclaimed_purchases, rewards, code_pools to laurel_app;
