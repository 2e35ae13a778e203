"""Reads whether a message of a contact asks to end messages, to begin them again, or for help.

The words are in `stop_words.toml`, so that one list serves texts and mails. Pure: what follows is decided elsewhere.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from msgspec import Struct, convert

Wish = Literal["stop", "start", "help", "unclear"]
"""`unclear`: it may ask to end messages, and a person has to find out."""

SHORT: Final = 160
"""Characters of a message in which a sentence of stopping counts wherever it is."""

READ: Final = 2_000
"""Characters of a longer message that are looked at; past them a message is hardly about messages."""

_APOSTROPHES: Final = str.maketrans("", "", "'\u2018\u2019\u02bc\u00b4`")
_END_OF_CLAUSE: Final = re.compile(r"[.,;:!?\n\r()\[\]\u2026\u2013\u2014]+|\s-+\s")
_WORD: Final = re.compile(r"[^\W_]+")


class StopWords(Struct, frozen=True, forbid_unknown_fields=True):
    """The lists of `stop_words.toml`."""

    stop_messages: frozenset[str]
    start_messages: frozenset[str]
    help_messages: frozenset[str]
    sentences: frozenset[str]
    negations: frozenset[str]
    doubtful: frozenset[str]


@cache
def stop_words() -> StopWords:
    """Returns the lists, read once."""
    text = files("leadroutes.domain").joinpath("stop_words.toml").read_text(encoding="utf-8")
    return convert(tomllib.loads(text), StopWords)


def read_wish(text: str) -> Wish | None:
    """Returns what a message asks about messages, or None where it is about something else.

    `stop`: the whole message is a word of stopping, or a short one has a sentence of stopping that no negation
    precedes in its clause. `unclear`: the sentence is in a longer message or negated, or one clause of several is a
    word of stopping.
    """
    words, whole = stop_words(), whole_message(text)
    if whole in words.stop_messages:
        return "stop"
    if whole in words.start_messages:
        return "start"
    if whole in words.help_messages:
        return "help"
    clauses = _clauses(text)
    found = [is_negated for clause in clauses for is_negated in _sentences_in(clause)]
    if not all(found) and len(text.strip()) <= SHORT:
        return "stop"
    return "unclear" if found or any(" ".join(clause) in words.stop_messages for clause in clauses) else None


def may_mean_stop(text: str) -> bool:
    """Whether a message that `read_wish` does not understand may ask to end messages all the same."""
    words = stop_words()
    said = f" {' '.join(word for clause in _clauses(text) for word in clause)} "
    return any(f" {each} " in said for each in (*words.sentences, *words.doubtful))


def is_word_of_stopping(text: str) -> bool:
    """Whether the whole message is a word or a sentence of stopping, any case, with any punctuation."""
    words, whole = stop_words(), whole_message(text)
    return whole in words.stop_messages or whole in words.sentences


def whole_message(text: str) -> str | None:
    """Returns all words of a short message as the lists write them, a word that is repeated once; None: it is long."""
    stripped = text.strip()
    if len(stripped) > SHORT:
        return None
    words = [word for clause in _clauses(stripped) for word in clause]
    return words[0] if words and len(set(words)) == 1 else " ".join(words)


def _clauses(text: str) -> list[list[str]]:
    """Returns the words of each clause, in lower case, without apostrophes."""
    plain = unicodedata.normalize("NFKC", text[:READ]).casefold().translate(_APOSTROPHES)
    return [found for clause in _END_OF_CLAUSE.split(plain) if (found := _WORD.findall(clause))]


def _sentences_in(clause: Sequence[str]) -> list[bool]:
    """Returns, for each sentence of stopping in a clause, whether a negation precedes it."""
    words = stop_words()
    found = []
    is_negated = False
    for position, word in enumerate(clause):
        ends = range(position + 1, min(position + _longest_sentence(), len(clause)) + 1)
        if any(" ".join(clause[position:end]) in words.sentences for end in ends):
            found.append(is_negated)
        is_negated = is_negated or word in words.negations
    return found


@cache
def _longest_sentence() -> int:
    """Returns the words of the longest sentence."""
    return max(len(sentence.split()) for sentence in stop_words().sentences)
