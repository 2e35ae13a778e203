-- Makes the successor the agent of the listings that name the leaving user, in all accounts of whose teams the
-- successor is an accepted member. Others are left as they are: no one but a member can be the agent of a listing.
UPDATE listing_agents a SET user_id = :successor_id
WHERE a.user_id = :user_id
  AND EXISTS (SELECT FROM team_members m
              WHERE m.owner_id = a.owner_id AND m.user_id = :successor_id AND m.request_status = 'Accepted')
