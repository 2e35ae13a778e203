"""Writes the header of a mail, already encoded: what a person typed is never handed to a parser of headers.

The standard library's message classes decode encoded words in the text that they are given, so a name such as
`=?utf-8?b?…?=` could write lines of its own. Here such a name is encoded once more, as the characters that it is.
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
    """One header with its line end; `value` is encoded already, and may be folded. ValueError: it is not a header."""
    if not (_NAME.fullmatch(name) and _is_folded(value)):
        raise ValueError(f"{name!r}: {value!r} is not an encoded header")
    return f"{name}: {value}\r\n".encode("ascii")


def _is_folded(value: str) -> bool:
    lines = value.split("\r\n ")
    return all(line.isascii() and line.isprintable() for line in lines) and all(line.strip() for line in lines[1:])


def encoded_text(text: str) -> str:
    """Any text as the value of a header such as Subject: one line to every reader, with exactly these characters."""
    line = one_line(text)
    return line if _is_plain(line) else _encoded_words(line)


def encoded_address(display_name: str, address: str) -> str:
    """`Bob Lee <bob@example.com>`; the address alone without a name. ValueError: mail cannot be sent there."""
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
    """One line without control characters, with single blanks."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _is_plain(line: str) -> bool:
    """Whether every reader of mail takes it for the characters that it has."""
    return line.isascii() and len(line) <= LONGEST_LINE and "=?" not in line


def _encoded_words(line: str) -> str:
    """RFC 2047, a word a line; no character is divided between two of them."""
    words, word = [], b""
    for character in line:
        encoded = character.encode()
        if len(word) + len(encoded) > WORD_BYTES:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(each).decode('ascii')}?=" for each in [*words, word])
