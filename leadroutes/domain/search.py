"""Reads what people type into a search: each word as a pattern for the index of words, which search_words in SQL feeds.

A word is found by its beginning, and one of a single character only as a whole.
"""

import re
import unicodedata

MOST_WORDS = 10
LONGEST_SEARCH = 200

_IGNORED = re.compile("[\u0300-\u036f'’ʼ]")
_FOLDED = str.maketrans("ØÆÐÞŁŒ", "øæðþłœ")
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})
_SEPARATORS = re.compile(r"[][\s!\"#$%&()*+,./:;<=>?@\\^_{|}~-]+")
_PHONE = re.compile(r"(?<!\S)\+?[0-9(][0-9 ()./-]*(?!\S)")
_EDGES = ' \t\r\n,;:()[]<>"!?.*&|~\\'


def plain_words(words: str) -> str:
    """Returns the text as search compares it: without accents and apostrophes, in lower case."""
    return _IGNORED.sub("", unicodedata.normalize("NFKD", words)).translate(_FOLDED).translate(_LOWER)


def search_patterns(typed: str) -> list[str]:
    """Returns a pattern for each word, all of which have to match; in them ~ is where the owner goes.

    Raises ValueError for more words than MOST_WORDS.
    """
    patterns: list[str] = []
    rest = _PHONE.sub(lambda found: _keep_phone(found[0], patterns), typed)
    for word in rest.split():
        plain = plain_words(word).strip(_EDGES)
        pieces = [piece for piece in _SEPARATORS.split(plain) if piece]
        if not pieces:
            continue
        apart = " & ".join(map(_beginning, pieces))
        if "@" in plain:
            patterns.append(_beginning(plain))
        elif "." in plain:
            patterns.append(f"({_beginning(plain)} | {apart})")
        else:
            patterns.append(apart)
    if len(patterns) > MOST_WORDS:
        raise ValueError
    return patterns


def _keep_phone(typed: str, patterns: list[str]) -> str:
    """Digits with what is written between them are one number; "171" and "12 34" may also be words of an address."""
    digits = re.sub("[^0-9]", "", typed)
    if not digits:
        return typed
    number = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    words = [each for each in re.split("[^0-9]+", typed) if each]
    whole = _beginning(number)
    patterns.append(whole if len(words) == 1 else f"({whole} | {' & '.join(map(_beginning, words))})")
    return " "


def tag_pattern(tag: str) -> str:
    """Returns the pattern of a whole tag."""
    return _quoted("#" + plain_words(tag.strip(" ")))


def _beginning(word: str) -> str:
    return _quoted(word) + (":*" if len(word) > 1 else "")


def _quoted(word: str) -> str:
    """Returns a word in quotes, behind the place of the owner."""
    return "'~" + re.sub(r"[\\'~\0]", "", word)[:100] + "'"
