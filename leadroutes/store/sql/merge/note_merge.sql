-- Records where a contact has gone, for those who look for it, and in the remaining contact's timeline.
WITH noted AS (
    INSERT INTO merged_contacts (owner_id, id, contact_id, by_user_id, merged_at)
    VALUES (:owner_id, :merged_id, :target_id, :by_user_id, :now)
)
INSERT INTO events (owner_id, user_id, contact_id, type, description, created_at, modified_at)
VALUES (:owner_id, :by_user_id, :target_id, 'merged', :description, :now, :now)
