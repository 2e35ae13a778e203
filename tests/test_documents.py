"""README and docs: lines fit a terminal, links and paths lead somewhere, every page is in the index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "leadroutes").rglob("*.md")])
WIDTH = 120
FOLDERS = "leadroutes|tests|bench|chaos|bin|deploy|docs|examples"

MADE_BY_USERS = {"deploy/secrets/"}

_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_PICTURE = re.compile(r"src=\"([^\"]+)\"|!\[[^\]]*\]\(([^)]+)\)")
_PATH = re.compile(rf"`((?:{FOLDERS})/[\w./@-]*)`")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(text: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_line_fits_a_terminal(path: Path) -> None:
    """Except rows of tables, pictures, commands to be pasted, and one long word such as an address."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    long = [(number, line) for number, line in lines if len(line) > WIDTH]

    assert [
        number
        for number, line in long
        if not line.startswith(("|", "curl ", "# 4", "{", "![", "<img ")) and " " in line.strip()
    ] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    text = _CODE.sub("", path.read_text(encoding="utf-8"))
    lost = []
    for target in (link or attribute for link, attribute in _LINK.findall(text)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there.read_text(encoding="utf-8"))):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    names = set(_PATH.findall(path.read_text(encoding="utf-8")))

    assert {name for name in names if not (ROOT / name).exists()} - MADE_BY_USERS == set()


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".yml")} - {"README.md"}

    assert {name for name in pages if f"({name})" not in index} == set()


def test_every_picture_is_shown() -> None:
    shown = {
        (path.parent / target).resolve()
        for path in DOCUMENTS
        for targets in _PICTURE.findall(path.read_text(encoding="utf-8"))
        for target in targets
        if target and not target.startswith("http")
    }

    assert {path.name for path in (ROOT / "docs" / "pictures").iterdir() if path not in shown} == set()


# ------------------------------------------------------------------------------------------------ docs/architecture.md

ARCHITECTURE = ROOT / "docs" / "architecture.md"


def test_every_step_of_a_journey_names_what_exists() -> None:
    rows = re.findall(
        r"^\| \d+ \| `([\w/.]+)` \| `([\w.]+)` \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == 20

    missing = []
    for path, name in rows:
        code = (ROOT / "leadroutes" / path).read_text(encoding="utf-8")
        missing += [(path, part) for part in name.split(".") if not re.search(rf"\b(?:class|def) {part}\b", code)]

    assert missing == []


def test_the_layers_are_those_that_are_enforced() -> None:
    _, _, after = ARCHITECTURE.read_text(encoding="utf-8").partition("<!-- the layers of .importlinter -->\n```\n")
    _, _, enforced = (ROOT / ".importlinter").read_text(encoding="utf-8").partition("layers =\n")

    shown = after.partition("```")[0].split("\n")
    assert [line for line in shown if line] == [
        line.strip() for line in enforced.partition("\n\n")[0].split("\n") if line
    ]


def test_every_room_is_described() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "leadroutes").glob("*/__init__.py")}

    assert {room for room in rooms if f"`leadroutes/{room}/`" not in text} == set()
