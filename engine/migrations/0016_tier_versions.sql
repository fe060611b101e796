-- Versions of a ladder hold in time: by which zone the days of one are counted is its own. Null: the program's, of now.
alter table tier_ladder_versions add column timezone text;
update tier_ladder_versions v set timezone = p.timezone
  from tier_ladders l join programs p using (program_id) where l.ladder_id = v.ladder_id;

-- Beyond its end a member may hold several tiers, each until its own.
update tier_states
   set standing = (standing::jsonb - 'grace' || jsonb_build_object('graces', jsonb_build_array(standing::jsonb -> 'grace')))::text
 where standing::jsonb ? 'grace';
