-- Lets the next delivery of a request of the provider be dealt with, because dealing with this one has failed.
UPDATE provider_requests SET taken_at = '-infinity' WHERE key = :key AND NOT is_answered
