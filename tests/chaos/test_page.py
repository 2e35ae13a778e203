"""What the documents say of bin/chaos is what it checks, and what the results of its last full run say."""

from pathlib import Path

import pytest

from chaos.page import DOCUMENTS, RESULTS, ROOT
from chaos.run import ALL_CHECKS


@pytest.mark.parametrize("page", DOCUMENTS.pages, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_document_shows_the_published_results_and_nothing_where_there_are_none(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == DOCUMENTS.with_figures(page, RESULTS)


def test_the_page_lists_what_a_run_checks() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    listed = page.partition("What has to hold:\n\n")[2].partition("\n\n")[0]
    assert listed.splitlines() == [f"- {check}" for check in ALL_CHECKS]
