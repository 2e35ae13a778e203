-- Lists the applications that may act for a user: those with a valid token or authorization code.
SELECT a.client_id, a.name, o.email AS owner_email, array_agg(DISTINCT s.word ORDER BY s.word) AS scope,
       min(g.created_at) AS since, array_agg(DISTINCT g.id) AS grant_ids,
       max((SELECT max(t.last_used_at) FROM access_tokens t WHERE t.grant_id = g.id)) AS last_used_at
FROM grants g
JOIN applications a ON a.id = g.application_id
JOIN users o ON o.id = a.user_id
CROSS JOIN LATERAL unnest(g.scope) AS s(word)
WHERE g.user_id = :user_id AND g.revoked_at IS NULL
  AND (EXISTS (SELECT FROM refresh_tokens r WHERE r.grant_id = g.id AND r.expires_at > now())
       OR EXISTS (SELECT FROM access_tokens t WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > now())
       OR EXISTS (SELECT FROM authorization_codes c
                  WHERE c.grant_id = g.id AND c.used_at IS NULL AND c.expires_at > now()))
GROUP BY a.id, o.email
ORDER BY min(g.created_at), a.id
