-- How many campaign mails each sender has sent within the last hour, counted when they left, and not when they were
-- queued, as `sent` is: what has waited for its channel is counted once more. Until then all that was queued had left.
ALTER TABLE mail_paces ADD COLUMN left_sent jsonb NOT NULL DEFAULT '[]';  -- as sent
ALTER TABLE mail_paces ADD COLUMN left_last_turn timestamptz;             -- as last_turn, for those in the queue
ALTER TABLE mail_paces ADD COLUMN left_turns_by integer NOT NULL DEFAULT 0;  -- as turns_by
UPDATE mail_paces SET left_sent = sent;
