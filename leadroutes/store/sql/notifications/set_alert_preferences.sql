-- Stores what a user has chosen about alerts.
INSERT INTO alert_preferences (user_id, won, claimed, unclaimed, replied, digest, quiet_from, quiet_to, digest_at)
VALUES (:user_id, :won, :claimed, :unclaimed, :replied, :digest, :quiet_from, :quiet_to, :digest_at)
ON CONFLICT (user_id) DO UPDATE
    SET won = excluded.won, claimed = excluded.claimed, unclaimed = excluded.unclaimed, replied = excluded.replied,
        digest = excluded.digest, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
        digest_at = excluded.digest_at
