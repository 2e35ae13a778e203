"""Secrets that are given to a command: from standard input or a file, as the process list shows arguments to everybody.

Also the options by which they are given; what a secret is good for it does not know.
"""

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from leadroutes.operations.console import err, fail

Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret", metavar="NAME=VALUE",
        help="Like --secret-stdin, but other users of the machine see it in the process list; for trying things out.",
    ),
]  # fmt: skip
SecretStdin = Annotated[
    bool,
    typer.Option(
        "--secret-stdin",
        help="Read from standard input what the vendor proves itself with: NAME=VALUE, one a line; on a terminal it is"
        " asked for.",
    ),
]
SecretFile = Annotated[
    Path | None,
    typer.Option(
        "--secret-file",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Read it from this file instead.",
    ),
]
FROM_STDIN = "-"


def secret_pairs(given: Sequence[str] | None, *, from_stdin: bool, file: Path | None) -> list[str]:
    """`NAME=VALUE` pairs from all places where they were given."""
    if given:
        err.print("The process list shows --secret to other users of this machine: --secret-stdin does not")
    pairs = list(given or ())
    if file is not None:
        pairs += _lines(file.read_bytes(), f"--secret-file: {file}")
    if from_stdin and sys.stdin.isatty():
        pairs.append(getpass.getpass("NAME=VALUE: "))
    elif from_stdin:
        pairs += _lines(sys.stdin.buffer.read(), "--secret-stdin: standard input")
    return pairs


def hidden_argument(given: str, what: str) -> str:
    """The argument itself; `-` reads it from standard input, and on a terminal asks for it."""
    if given != FROM_STDIN:
        return given
    return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else sys.stdin.readline().strip()


def _lines(raw: bytes, where: str) -> list[str]:
    """Returns the lines that are not blank; what is not UTF-8 ends the command with 1, and is not shown."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{where} is not UTF-8; expected NAME=VALUE, one a line")
    return [line for line in text.splitlines() if line.strip()]
