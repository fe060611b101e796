-- What a rule's version says beside its arguments (contract/rule-terms.ts): what it answers to, on what condition, in
-- which group, how often and how much, when what it gives begins and ends. Versions from before say nothing of these.

alter table earning_rule_versions add column terms jsonb not null default '{}';
