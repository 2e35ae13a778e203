-- Records what people have agreed to in inquiries (a JSON list).
INSERT INTO consents (owner_id, contact_id, lead_id, channel, how, words, ip, at)
SELECT x.owner_id, x.contact_id, x.lead_id, x.channel, x.how, x.words, x.ip, coalesce(x.at, :now)
FROM json_to_recordset(:consents::json) AS x (owner_id bigint, contact_id bigint, lead_id bigint, channel text,
                                              how text, words text, ip text, at timestamptz)
