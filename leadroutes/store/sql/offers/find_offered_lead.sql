-- Returns the lead of an offer to this user.
SELECT lead_id FROM offers WHERE owner_id = :owner_id AND id = :offer_id AND user_id = :user_id
