-- Records that an invitation is mailed to an address and returns the address; nothing when one was mailed to it within
-- the last day, whoever invited.
INSERT INTO invitation_mails AS i (address, mailed_at) VALUES (lower(:email), now())
ON CONFLICT (address) DO UPDATE SET mailed_at = excluded.mailed_at WHERE i.mailed_at < now() - interval '1 day'
RETURNING address
