-- Every decision can be reproduced: the rule set and the facts of a routed lead are stored.
SELECT leads.owner_id, leads.id AS lead_id, leads.rule_set
FROM leads
WHERE leads.routed_at IS NOT NULL
  AND (leads.facts IS NULL OR NOT EXISTS (
      SELECT FROM rule_sets WHERE rule_sets.owner_id = leads.owner_id AND rule_sets.number = leads.rule_set
  ))
