"""What a person wrote in an answer, without the mail that is quoted, as tables."""

import pytest

from leadroutes.intake.reply_text import own_words

QUOTED = "> Hi Eve,\n> is it still Grape Street?\n"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes, Sunday at ten.", "Yes, Sunday at ten."),
        ("Yes.\n\nOn Tue, Nov 24, 2026 at 9:05 AM Alice Brown <a@example.com> wrote:\n" + QUOTED, "Yes."),
        ("Yes.\n\nOn Tue, Nov 24, 2026 at 9:05 AM Alice Brown\n<a@example.com> wrote:\n" + QUOTED, "Yes."),
        ("Yes.\r\n\r\nOn Tuesday, Alice Brown via\r\nLead Routes\r\n<a@example.com> wrote:\r\n> Hi", "Yes."),
        ("Ja.\n\nAm 24.11.2026 um 09:05 schrieb Alice Brown <a@example.com>:\n" + QUOTED, "Ja."),
        ("Oui.\n\nLe mar. 24 nov. 2026 à 09:05, Alice Brown <a@example.com> a écrit :\n" + QUOTED, "Oui."),
        ("Stop\n\n-----Original Message-----\nFrom: Alice\nSent: Tuesday\nHi Eve", "Stop"),
        ("Stop\n\n________________________________\nFrom: Alice Brown <a@example.com>\nSent: Tuesday", "Stop"),
        ("Stop\n\nFrom: Alice Brown <a@example.com>\nDate: Tuesday\nTo: Eve\n\nHi Eve", "Stop"),
        ("Stop\n\n*From:* Alice Brown\n*Sent:* Tuesday\n\nHi Eve", "Stop"),
        ("Sunday at ten.\n\n-- \nEve Karr\n303-555-0100", "Sunday at ten."),
        ("Sunday at ten.\n\nSent from my iPhone", "Sunday at ten."),
        ("Sunday at ten.\n\nGet Outlook for iOS", "Sunday at ten."),
        ("> is it still Grape Street?\nYes.\n> And when?\nSunday.", "Yes.\nSunday."),
        (QUOTED, ""),
        ("", ""),
        (
            "From: the garden I see the mountains.\nIt is lovely.",
            "From: the garden I see the mountains.\nIt is lovely.",
        ),
        ("On Sunday I wrote you a letter. Did you get it?", "On Sunday I wrote you a letter. Did you get it?"),
        ("The price is 500,000--more than we have.", "The price is 500,000--more than we have."),
    ],
)
def test_what_a_person_wrote(text: str, own: str) -> None:
    assert own_words(text) == own


def test_a_very_long_mail_is_read_to_a_limit() -> None:
    assert own_words("On wrote wrote wrote:x\n" * 100_000).count("\n") == 999
