-- Notes that a contact has answered a message of a campaign.
SELECT note_replied(:owner_id, :message_id, :now)
