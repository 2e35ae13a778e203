"""Writes the header of a mail, already encoded: text that a person typed is never given to a parser of headers.

The message classes of the standard library decode encoded words in their arguments, so a name such as `=?utf-8?b?…?=`
could add header lines. Here such a name is encoded once more, as plain characters.
"""

import re
from base64 import b64encode
from typing import Final

from leadroutes.domain.mail_addresses import plain_address

__all__ = ["encoded_address", "encoded_text", "header", "one_line", "plain_address"]

LONGEST_LINE: Final = 400  # bytes; an unsubscribe link stays on its header's line, RFC 5322 allows 998
WORD_BYTES: Final = 45  # of UTF-8 in an encoded word, which then has 72 of the 75 characters that RFC 2047 allows
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_WORDS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # what needs no quotation marks


def header(name: str, value: str) -> bytes:
    """Returns one header line; `value` is encoded already, and may be folded. Raises ValueError where it is not."""
    if not (_NAME.fullmatch(name) and _is_folded(value)):
        raise ValueError(f"{name!r}: {value!r} is not an encoded header")
    return f"{name}: {value}\r\n".encode("ascii")


def _is_folded(value: str) -> bool:
    lines = value.split("\r\n ")
    return all(line.isascii() and line.isprintable() for line in lines) and all(line.strip() for line in lines[1:])


def encoded_text(text: str) -> str:
    """Returns any text as the value of a header such as Subject: one line, read as exactly these characters."""
    line = one_line(text)
    return line if _is_plain(line) else _encoded_words(line)


def encoded_address(display_name: str, address: str) -> str:
    """Returns `Bob Lee <bob@example.com>`, or the address alone. Raises ValueError where mail cannot be sent there."""
    name, sent_to = one_line(display_name), plain_address(address)
    if not name:
        return sent_to
    if not _is_plain(name):
        return f"{_encoded_words(name)} <{sent_to}>"
    if _WORDS.fullmatch(name):
        return f"{name} <{sent_to}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{sent_to}>'


def one_line(text: str) -> str:
    """Returns one line without control characters, with single blanks."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _is_plain(line: str) -> bool:
    """Whether every mail program shows it as it is, without encoding."""
    return line.isascii() and len(line) <= LONGEST_LINE and "=?" not in line


def _encoded_words(line: str) -> str:
    """Returns encoded words (RFC 2047), one on each line; no character is split between two of them."""
    words, word = [], b""
    for character in line:
        encoded = character.encode()
        if len(word) + len(encoded) > WORD_BYTES:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(each).decode('ascii')}?=" for each in [*words, word])
