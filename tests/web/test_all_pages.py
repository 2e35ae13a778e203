"""What holds for every declared page without a browser: rights, ids, stored markup, weight, headers."""

from leadroutes.web.page import administrators, owners
from tests.support.every_page import EveryPage
from tests.support.markup import is_harmless, spoil

IMPOSSIBLE = ("0", "-1", "x", "1.5", "99999999999999999999", "%00", "1%0A", "٣", "999999")
LARGEST = 60_000  # bytes of a page without the shared files


async def test_every_page_opens_and_is_small_and_is_not_stored_by_browsers(every_page: EveryPage) -> None:
    await every_page.make_administrator()
    alice = await every_page.app.sign_in("alice")
    for path in every_page.paths:
        answer = await alice.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert len(answer.content) < LARGEST, path
        assert answer.headers["cache-control"] == "no-store", path
        assert "style=" not in answer.text, path


async def test_an_agent_without_rights_sees_no_page_of_an_owner(every_page: EveryPage) -> None:
    bob = await every_page.app.sign_in("bob")
    for path, page in every_page.paths.items():
        answers = [
            await bob.get(path),
            *[await bob.post(path, data={"do": do}) for do in page.acts.keys() - page.looks],
        ]
        if page.may in (owners, administrators):
            assert {answer.status_code for answer in answers} <= {403, 404}, path
        assert all(answer.status_code < 500 for answer in answers), path
        assert all(answer.headers["cache-control"] == "no-store" for answer in answers), path


async def test_the_records_of_another_owner_are_not_there(every_page: EveryPage) -> None:
    dave = await every_page.app.sign_in("dave")
    for path, page in every_page.of_records.items():
        answers = [
            await dave.get(path),
            *[await dave.post(path, data={"do": do}) for do in page.acts.keys() - page.looks],
        ]
        parts = [await dave.get(path, params={"part": part}) for part in page.parts]
        assert {answer.status_code for answer in [*answers, *parts]} <= {404}, path


async def test_an_id_that_cannot_be_is_not_found(every_page: EveryPage) -> None:
    alice = await every_page.app.sign_in("alice")
    for page in every_page.of_records.values():
        for number in IMPOSSIBLE:
            path = "/app" + page.path.replace("{id}", number)
            answers = [
                await alice.get(path),
                *[await alice.post(path, data={"do": do}) for do in page.acts.keys() - page.looks],
            ]
            assert {answer.status_code for answer in answers} == {404}, path


async def test_a_button_without_its_fields_never_fails(every_page: EveryPage) -> None:
    """Every act of every page, with nothing and with nonsense in what it could want."""
    await every_page.make_administrator()
    alice = await every_page.app.sign_in("alice")
    nonsense = dict.fromkeys(("id", "on", "seen", "lead_id", "user_id", "name", "body", "undo"), "\u0000x" * 40)
    for path, page in every_page.paths.items():
        for do in page.acts:
            for sent in (nonsense, {}):
                answer = await alice.post(path, data={**sent, "do": do})
                assert answer.status_code < 500, (path, do, sent, answer.text)


async def test_markup_in_every_stored_text_is_shown_as_text(every_page: EveryPage) -> None:
    await every_page.make_administrator()
    alice, bob = await every_page.app.sign_in("alice"), await every_page.app.sign_in("bob")
    await spoil(every_page.app)

    shown = 0
    for browser in (alice, bob):
        for path, page in every_page.paths.items():
            answers = [
                await browser.get(path),
                *[await browser.get(path, params={"part": each}) for each in page.parts],
            ]
            for answer in answers:
                assert answer.status_code < 500, (path, answer.text)
                assert is_harmless(answer.text), (path, answer.text)
                shown += "&lt;script&gt;alert(1)" in answer.text
    assert shown > 10, "it was there to be seen"
