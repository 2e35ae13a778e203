-- Notes that the text of a campaign step leaves at this moment, for the texts to its contact that are counted next.
UPDATE contact_communications SET taken_at = :now WHERE owner_id = :owner_id AND id = :communication_id
