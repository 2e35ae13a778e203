-- Returns which campaigns use these templates of an owner, as what a step says or as one of its variants, each once.
SELECT u.template_id, c.id AS campaign_id, c.name
FROM (
    SELECT a.template_id, a.campaign_id FROM campaign_actions a
    WHERE a.owner_id = :owner_id AND a.template_id = ANY (:template_ids)
    UNION
    SELECT v.template_id, a.campaign_id
    FROM campaign_actions a CROSS JOIN LATERAL json_to_recordset(a.variants) AS v (template_id bigint)
    WHERE a.owner_id = :owner_id AND a.variants IS NOT NULL AND v.template_id = ANY (:template_ids)
) u
JOIN campaigns c ON c.owner_id = :owner_id AND c.id = u.campaign_id
ORDER BY c.name, c.id
