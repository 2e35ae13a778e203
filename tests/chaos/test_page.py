"""What the documents say of the last full run of bin/chaos is what its results say."""

from pathlib import Path

import pytest

from chaos.page import DOCUMENTS, RESULTS, ROOT


@pytest.mark.parametrize("page", DOCUMENTS.pages, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_document_shows_the_published_results_and_nothing_where_there_are_none(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == DOCUMENTS.with_figures(page, RESULTS)
