"""What pages say, without a browser: no words of the API, no wrong plurals, and buttons that are heard as they look."""

import re

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from leadroutes.web.page import administrators, owners
from leadroutes.web.pages.campaign_steps import KINDS
from tests.support.every_page import EveryPage

NOT_READ = "pre, code, textarea, script, svg, select"  # what others wrote, and values
READ = "p, li, dt, dd, td, th, h1, h2, h3, label, legend, summary, button, a, span"
OF_THE_API = re.compile("|".join(map(re.escape, KINDS)) + r"|\b(?:None|True|False)\b|\b[a-z]+(?:_[a-z]+)+\b")
PLURAL_OF_ONE = re.compile(r"(?<![\d,.:/–-])\b1 (?!is\b|was\b|has\b|needs\b|ms\b)[a-z]+s\b")
LEFT_OVER = re.compile(r"(?<!\.)\.\.(?!\.)|,,|[,;]\.|\(\)|^, ")


@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_every_page_speaks_plainly(every_page: EveryPage, name: str) -> None:
    await every_page.make_administrator()
    browser = await every_page.app.sign_in(name)
    faults = {}
    for path, page in every_page.paths.items():
        if name == "alice" or page.may not in (owners, administrators):
            faults[path] = faults_in((await browser.get(path)).text)

    assert len(faults) > 10
    assert {path: found for path, found in faults.items() if found} == {}


def faults_in(page: str) -> list[str]:
    """What is unclear in the words of a page, and buttons that a screen reader calls otherwise than they look."""
    main = LexborHTMLParser(page).css_first("main")
    labelled = [node for node in main.css("[aria-label]") if node.tag in ("button", "a", "summary")]
    others = [node for node in labelled if is_other(node)]
    faults = [f"{words_of(node)!r} is heard as {node.attributes['aria-label']!r}" for node in others]
    for node in main.css(NOT_READ):
        node.decompose()
    said = [words_of(node) for node in main.css(READ)]
    found = [(each.search(words), words) for words in said for each in (OF_THE_API, PLURAL_OF_ONE, LEFT_OVER)]
    return faults + [f"{fault[0]!r} in {words[:120]!r}" for fault, words in found if fault]


def words_of(node: LexborNode) -> str:
    """Without quotations, which are what others wrote, and placeholders of templates."""
    return re.sub(r"“[^”]*”|{{[^}]*}}|\s+(?=[,.;:])", "", " ".join(node.text(separator=" ").split()))


def is_other(node: LexborNode) -> bool:
    """Whoever speaks to a browser says the words that are shown (WCAG 2.5.3)."""
    return words_of(node).casefold() not in (node.attributes["aria-label"] or "").casefold()


@pytest.mark.parametrize(
    "unclear",
    [
        "<p>1 leads</p>",
        "<p>Email Contact: Hello</p>",
        "<p>claimed by None</p>",
        "<p>lead_source_id: 3</p>",
        "<p>It failed..</p>",
        '<button aria-label="Remove Mia">Delete</button>',
    ],
)
def test_what_is_unclear_is_found(unclear: str) -> None:
    assert faults_in(f"<main>{unclear}</main>")


def test_what_is_clear_is_left_alone() -> None:
    clear = "<p>1 lead of 12 leads, 1,001 steps, 2:01 seconds</p><code>lead_id</code>"
    assert faults_in(f'<main>{clear}<button aria-label="Remove: Mia">Remove</button></main>') == []
