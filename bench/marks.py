"""Puts what a program measures into documents, between two marks. A test compares the documents with the results."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

END = "<!-- end -->\n"
WIDTH = 120  # characters of a line of a document, unless it is a row of a table


def wrapped(paragraph: str) -> str:
    """Returns the paragraph in lines that fit a terminal."""
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


@dataclass(frozen=True, slots=True)
class Documents:
    """The pages that show the results of the program `made_by`, each with its own words for them."""

    made_by: str
    pages: Mapping[Path, Callable[[dict[str, Any]], str]]

    def put_in(self, results: Path) -> None:
        """Write the results' figures between the marks of every page."""
        for page in self.pages:
            page.write_text(self.with_figures(page, results), encoding="utf-8")

    def with_figures(self, page: Path, results: Path) -> str:
        """The page's text with these results in it; with nothing where there are none."""
        begin = f"<!-- made by {self.made_by} -->\n"
        before, _, rest = page.read_text(encoding="utf-8").partition(begin)
        _, _, after = rest.partition(END)
        made = self.pages[page](msgspec.json.decode(results.read_bytes())) if results.exists() else ""
        return before + begin + made + END + after
