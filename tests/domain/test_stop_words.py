"""What people write who want no more messages, and what only looks like that, as tables."""

import pytest

from leadroutes.domain.stop_words import SHORT, is_word_of_stopping, read_wish, stop_words

STOP_MESSAGES = [
    "STOP",
    "stop",
    " Stop. ",
    "STOP!!!",
    '"Stop"',
    "(stop)",
    "stop\n",
    "ＳＴＯＰ",
    "stop stop STOP",
    "StopAll",
    "stop all",
    "Unsubscribe",
    "unsubscribe.",
    "cancel",
    "End",
    "quit!",
    "Revoke",
    "OptOut",
    "opt out",
    "OPT-OUT",
    "Opt out.",
    "remove",
    "Please stop",
    "stop, please",
    "Unsubscribe me!",
    "stop 🛑",
]
SENTENCES = [
    "stop texting me",
    "Please STOP texting me!!",
    "Hi Bob, take me off your list. Thanks, Mia",
    "Who is this? Take me off your list",
    "I'm not interested, stop texting me",
    "I am not interested. Please take me off the list.",
    "We have bought a house - remove me from your list",
    "I don't want these. No more texts",
    "Don't text me anymore",
    "don’t text me",
    "DO NOT CONTACT ME AGAIN",
    "please do not email me",
    "I'd like to unsubscribe",
    "lose my number",
    "ok (stop sending me messages)",
    "never text me again",
]
UNCLEAR = {
    "the negation precedes it": [
        "Please don't stop texting me",
        "dont stop texting me",
        "Do not stop texting me",
        "I never said stop texting me",
        "I did not ask you to take me off your list",
        "never take me off your list",
    ],
    "the message is long": [
        (
            "We looked at three houses with another agent last week, and in the end we made an offer for the one on"
            " Grape Street, which was accepted this morning. So please take me off your list now."
        ),
        "stop texting me" + " and thanks for everything" * 10,
    ],
    "one clause of several is a word": [
        "Stop. I have bought a house already",
        "Unsubscribe - thank you",
        "please stop, we have an agent",
        "ok, cancel",
        "I'll be there at five.\nSTOP",
    ],
}
NOTHING = [
    "",
    "   ",
    "!!!",
    "🛑",
    "yes",
    "YES",
    "no",
    "3",
    "3N",
    "claim 3",
    "not interested",
    "Can we stop by at five?",
    "The bus stop is around the corner",
    "I can't stop thinking about that kitchen",
    "Please stop by tomorrow",
    "Is the end unit still for sale?",
    "the weekend is fine",
    "can you cancel the showing and make it Sunday?",
    "Please remove the fence before we sign",
    "I quit my job",
    "stopped",
    "restart",
    "How do I start?",
    "helpful, thanks",
    "a nonstop flight",
    "What does revoke mean in the contract?",
    "take me off",
    "put me on your list",
]


@pytest.mark.parametrize("text", [*STOP_MESSAGES, *SENTENCES])
def test_what_asks_to_end_messages(text: str) -> None:
    assert read_wish(text) == "stop"


@pytest.mark.parametrize("text", STOP_MESSAGES)
def test_a_whole_message_that_is_a_word(text: str) -> None:
    assert is_word_of_stopping(text)


@pytest.mark.parametrize("text", ["stop texting me!", "Take me off your list.", "don't email me", "no more emails"])
def test_a_whole_message_that_is_a_sentence(text: str) -> None:
    assert is_word_of_stopping(text)


@pytest.mark.parametrize(
    "text",
    [*NOTHING, *(text for texts in UNCLEAR.values() for text in texts), "Hi Bob, take me off your list.", "STOP " * 40],
)
def test_what_is_not_a_whole_message_of_stopping(text: str) -> None:
    assert not is_word_of_stopping(text)


@pytest.mark.parametrize(("why", "text"), [(why, text) for why, texts in UNCLEAR.items() for text in texts])
def test_what_a_person_has_to_find_out(why: str, text: str) -> None:
    assert read_wish(text) == "unclear", why


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_about_something_else(text: str) -> None:
    assert read_wish(text) is None


@pytest.mark.parametrize("text", ["START", "start.", "Unstop", "UNSTOP!"])
def test_what_gives_the_consent_again(text: str) -> None:
    assert read_wish(text) == "start"


@pytest.mark.parametrize("text", ["HELP", "help?", "Help!"])
def test_what_asks_for_help(text: str) -> None:
    assert read_wish(text) == "help"


@pytest.mark.parametrize("sentence", sorted(stop_words().sentences))
def test_every_sentence_of_the_list_is_found_within_a_message(sentence: str) -> None:
    assert read_wish(f"Hello there, {sentence} if you will") == "stop"
    assert read_wish(f"i would not say {sentence}") == "unclear"


def test_a_sentence_counts_up_to_the_limit() -> None:
    sentence = "stop texting me"
    assert read_wish("a" * (SHORT - len(sentence) - 1) + " " + sentence) == "stop"
    assert read_wish("a" * (SHORT - len(sentence)) + " " + sentence) == "unclear"


def test_the_lists_are_written_as_they_are_compared() -> None:
    lists = stop_words()
    entries = (
        lists.stop_messages
        | lists.start_messages
        | lists.help_messages
        | lists.sentences
        | lists.negations
        | lists.doubtful
    )
    assert all(" ".join(each.split()) == each == each.casefold() for each in entries)
    assert all(word.isalnum() for each in entries for word in each.split())
    assert not lists.stop_messages & (lists.start_messages | lists.help_messages)


def test_a_very_long_message_is_read_in_no_time() -> None:
    assert read_wish("stop texting " * 1_000_000) == "unclear"
