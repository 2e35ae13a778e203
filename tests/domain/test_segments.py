"""Segments of texts: by alphabet, at the edges, and with characters that take two units."""

import pytest

from leadroutes.domain.segments import count_segments

TABLE = [
    ("", "GSM-7", 0, 0, 160),
    ("Hi Mia", "GSM-7", 6, 1, 154),
    ("a" * 160, "GSM-7", 160, 1, 0),
    ("a" * 161, "GSM-7", 161, 2, 145),
    ("a" * 306, "GSM-7", 306, 2, 0),
    ("a" * 307, "GSM-7", 307, 3, 152),
    ("é" * 160, "GSM-7", 160, 1, 0),
    ("€" * 80, "GSM-7", 160, 1, 0),
    ("€" * 81, "GSM-7", 162, 2, 143),  # 76 fill 152 units of 153, as none is split
    ("a" * 152 + "€" + "a" * 8, "GSM-7", 162, 2, 143),
    ("{[~]}", "GSM-7", 10, 1, 150),
    ("line\nline\r\n", "GSM-7", 11, 1, 149),
    ("ç", "UCS-2", 1, 1, 69),  # the alphabet has Ç alone
    ("It’s ready", "UCS-2", 10, 1, 60),
    ("’" + "a" * 69, "UCS-2", 70, 1, 0),
    ("’" + "a" * 70, "UCS-2", 71, 2, 63),
    ("’" + "a" * 133, "UCS-2", 134, 2, 0),
    ("’" + "a" * 134, "UCS-2", 135, 3, 66),
    ("😀" * 35, "UCS-2", 70, 1, 0),
    ("😀" * 36, "UCS-2", 72, 2, 61),  # 33 fill 66 units of 67
    ("a" * 66 + "😀" + "aaa", "UCS-2", 71, 2, 62),
    ("`", "UCS-2", 1, 1, 69),
    ("\t", "UCS-2", 1, 1, 69),
]


@pytest.mark.parametrize(("text", "alphabet", "units", "count", "left"), TABLE)
def test_a_text_becomes_so_many_segments(text: str, alphabet: str, units: int, count: int, left: int) -> None:
    found = count_segments(text)

    assert (found.alphabet, found.units, found.count, found.left) == (alphabet, units, count, left)


def test_the_characters_that_cost_more_are_named_once_each() -> None:
    assert count_segments("It’s “so”, it’s").beyond_gsm == ("’", "“", "”")
    assert count_segments("It's so").beyond_gsm == ()
