"""What whoever has a contact sees and reads when the contact answers a mail."""

import pytest

from leadroutes.store.screens import account_topic, user_topic
from tests.support.post import Post
from tests.support.screens import watching


async def test_open_screens_hear_of_an_answer(post: Post) -> None:
    contact_id = await post.drip()
    bob = await post.database.fetchval(
        "UPDATE contacts SET assigned_user_id = (SELECT id FROM users WHERE username = 'bob') WHERE id = $1"
        " RETURNING assigned_user_id", contact_id,
    )  # fmt: skip
    topics = {account_topic(post.brokerage.owner_id), user_topic(bob)}
    async with watching(post.database, topics) as changes:
        await post.answer("Yes, please")
        assert await anext(changes) == topics


@pytest.mark.parametrize(
    ("said", "shown", "count"),
    [
        ("Unsubscribe", "They get no more e-mails, as they have asked.", 1),
        (
            "Please stop texting me at work, and call me after six",
            "They may ask for no more e-mails: if so, suppress their address.",
            0,
        ),
    ],
)
async def test_an_alert_about_an_answer_says_what_has_become_of_mails(
    post: Post, said: str, shown: str, count: int
) -> None:
    await post.drip()
    await post.database.execute("UPDATE users SET phone = '+13035550001' WHERE username = 'alice'")
    await post.answer(said)
    await post.deliver()

    [(text,)] = await post.rows("SELECT text_body FROM messages WHERE kind = 'replied' AND channel = 'text'")
    assert shown in text
    assert len(await post.suppressions()) == count
