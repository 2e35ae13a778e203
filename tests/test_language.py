"""Words that the project does not use, over code, SQL, templates, scripts and documents. STYLE.md says why.

Not looked at: what strangers wrote (samples of leads), licences, lock files, words in `code` of documents, which quote
what a program prints or an API answers, and parts of documents that are generated, whose words are in their source.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

WORDS = {
    "a role, or they": "he|him|his|himself|she|her|hers|herself",
    "someone": "somebody",
    "no one": "nobody",
    "is not a": "(?<!there )is no(?= [a-z])(?! (?:longer|one|more)\\b)",
    "is not one": "(?<!there )(?-i:is none)",  # `is None` is code
    "returns, reports, notifies": "told",
    "stored, retained": "kept",
    "is": "stands",
    "ours, or who is meant": "of ours",
    "the rule, by its name": "the law",
    "the project, the service": "the house",
}
FORBIDDEN = re.compile(rf"\b(?:{'|'.join(WORDS.values())})\b", re.IGNORECASE)

# What others wrote, or what is made from something that is looked at.
NOT_LOOKED_AT = (
    "LICENSE",
    "docs/commands.md",
    "docs/settings.md",
    "examples/",
    "leadroutes/demo/examples/",
    "leadroutes/store/schema.sql",
    "tests/intake/samples/",
    "tests/test_language.py",
)
SUFFIXES = {
    "",
    ".cjs",
    ".conf",
    ".css",
    ".env",
    ".html",
    ".js",
    ".md",
    ".py",
    ".service",
    ".sql",
    ".toml",
    ".txt",
    ".yml",
}
# Values of metrics, which rules and dashboards of operators name, the reason of an offer, the user of Unix systems.
LABELS = {
    "leadroutes/domain/alerts.py": frozenset({"told"}),
    "leadroutes/observability/lead_log.py": frozenset({"kept", "nobody"}),
    "leadroutes/store/sql/checks/check_untold_members_are_known.sql": frozenset({"told"}),
    "leadroutes/store/sql/messages/begin_sending.sql": frozenset({"told"}),
    "leadroutes/api/resources/leads.py": frozenset({"told"}),
    "tests/channels/test_alert_words.py": frozenset({"told"}),
    "tests/engine/test_untold.py": frozenset({"told"}),
    "tests/stories/test_alert_stories.py": frozenset({"told"}),
    "tests/store/test_embedded.py": frozenset({"nobody"}),
    "tests/support/pgbouncer.py": frozenset({"nobody"}),
}
QUOTED = {
    ".yml": re.compile(r'"[^"\n]*"'),  # values of labels
    ".md": re.compile(r"^```.*?^```|<!-- made by .*?<!-- end -->|`[^`\n]*`", re.MULTILINE | re.DOTALL),
}


def files() -> list[str]:
    """Everything that is in the repository or about to be, and is text of the project's own."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if Path(name).suffix in SUFFIXES and (ROOT / name).is_file() and is_ours(name)]


def is_ours(name: str) -> bool:
    return not name.startswith(NOT_LOOKED_AT) and "/vendor/" not in name


def found_in(name: str) -> list[str]:
    """`line: word` for each word that is not used."""
    text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
    if (quoted := QUOTED.get(Path(name).suffix)) is not None:
        text = quoted.sub(lambda quotation: "\n" * quotation[0].count("\n"), text)
    return [
        f"{text.count(chr(10), 0, each.start()) + 1}: {each[0]}"
        for each in FORBIDDEN.finditer(text)
        if each[0] not in LABELS.get(name, ())
    ]


def test_no_word_is_used_that_the_project_does_not_use() -> None:
    assert {name: words for name in files() if (words := found_in(name))} == {}


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("He sends his lead", ["He", "his"]),
        ("the history of this lead", []),
        ("Nobody was told", ["Nobody", "told"]),
        ("it is no longer offered; there is no one, and there is no team", []),
        ("that is no number, and it is none", ["is no", "is none"]),
        ("Received at an open house", []),
        ("stands for the house", ["stands", "the house"]),
        ("kept_rows, `the_law`", []),
    ],
)
def test_the_list_finds_words_and_not_parts_of_words(sentence: str, words: list[str]) -> None:
    assert FORBIDDEN.findall(sentence) == words
