-- Adds messages that follow from a text that came in and returns their ids: answers to it, with their words, and alerts
-- about it. All parameters but :now are arrays.
INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, contact_id, event_id, address, text_body,
                      sent_from, created_at)
SELECT x.owner_id, x.kind, x.channel, x.lead_id, x.offer_id, x.user_id, x.contact_id, x.event_id, x.address,
       x.text_body, x.sent_from, :now::timestamptz
FROM unnest(:owner_ids::bigint[], :kinds::text[], :channels::text[], :lead_ids::bigint[], :offer_ids::bigint[],
            :user_ids::bigint[], :contact_ids::bigint[], :event_ids::bigint[], :addresses::text[], :text_bodies::text[],
            :senders::text[])
    AS x (owner_id, kind, channel, lead_id, offer_id, user_id, contact_id, event_id, address, text_body, sent_from)
RETURNING owner_id, id
