-- Notes that a contact has answered the last text of a campaign.
SELECT note_replied(:owner_id, last_text_to(:owner_id, :contact_id), :now)
