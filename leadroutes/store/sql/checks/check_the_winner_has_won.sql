-- Of the offers of a claimed lead, the winner's is won, and no other.
SELECT offers.owner_id, offers.lead_id, offers.user_id, offers.state, claims.user_id AS claimed_by_user_id
FROM offers
LEFT JOIN claims ON claims.owner_id = offers.owner_id AND claims.lead_id = offers.lead_id
WHERE (offers.state = 'won') <> (claims.user_id IS NOT DISTINCT FROM offers.user_id)
