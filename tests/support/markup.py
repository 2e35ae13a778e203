"""What to put into every text that is stored: markup, or long words; and whether a page shows markup as text."""

from selectolax.lexbor import LexborHTMLParser

from tests.support.web_app import WebApp

EVIL = """"'></title><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}<a href="javascript:alert(3)">"""
PARSED = frozenset({"timezone", "dispatch_time"})  # checked when they are written, and computed with
UNCHANGED = {  # what a page is found by, or what identifies someone
    ("claim_tokens", "token_hash"), ("applications", "client_id"), ("applications", "redirect_uris"),
    ("users", "password_hash"), ("users", "email"), ("sessions", "token_hash"), ("messages", "state"),
    ("campaign_actions", "type"), ("campaign_actions", "timing_type"), ("campaign_actions", "recurrence"),
    # One of a few words, which are checked when they are written, and by which leads are decided.
    ("lead_routes", "distribution_target"), ("lead_routes", "team_selection_method"),
    ("lead_routes", "campaign_start"), ("teams", "order_method"), ("teams", "offer_mode"),
    ("teams", "when_nobody_is_available"), ("team_members", "request_status"),
}  # fmt: skip
COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND data_type = 'text' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
      AND table_name NOT LIKE 'pgqueuer%' AND table_name <> 'migrations' ORDER BY 1, 2"""


async def spoil(web_app: WebApp, text: str = EVIL) -> set[tuple[str, str]]:
    """Put it into every text, but where a rule of the database keeps it out; where it is now."""
    spoilt = set()
    async with web_app.database.pool.acquire() as connection:
        for table, column in await connection.fetch(COLUMNS):
            if (table, column) in UNCHANGED or column in PARSED:
                continue
            try:
                async with connection.transaction():
                    await connection.execute("SET LOCAL session_replication_role = replica")
                    done = await connection.execute(f"UPDATE {table} SET {column} = $1 || ctid::text", text)
            except Exception:  # noqa: BLE001 -- a check or a key: it cannot be there in life either
                continue
            if done != "UPDATE 0":
                spoilt.add((table, column))
    return spoilt


def is_harmless(page: str) -> bool:
    """Nothing but our own script, no handler, no address that is a script, nothing that a template was made to do."""
    tree = LexborHTMLParser(page)
    scripts = [node.attributes.get("src") or "" for node in tree.css("script")]
    attributes = [(name, value or "") for node in tree.css("*") for name, value in node.attributes.items()]
    return (
        all(src.startswith("/assets/") for src in scripts)
        and not any(name.startswith("on") for name, _ in attributes)
        and not any(value.strip().lower().startswith("javascript:") for _, value in attributes)
        and not [node for node in tree.css("img") if not (node.attributes.get("src") or "").startswith("/assets/")]
        and "alert(1)</script>" not in page
    )
