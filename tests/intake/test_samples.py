"""Every sample gives exactly what is expected of it."""

import pytest

from leadroutes.intake.formats import BY_NAME, FORMATS
from leadroutes.intake.reading import read
from leadroutes.intake.results import expected_json
from tests.support.samples import Sample, certificate, samples, secrets


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "recognised"])
@pytest.mark.parametrize("has_secrets", [True, False], ids=["with secrets", "let in"])
def test_every_sample_is_read(sample: Sample, is_named: bool, has_secrets: bool) -> None:
    reading = read(
        sample.body,
        sample.headers,
        format=sample.format if is_named else None,
        secrets=secrets() if has_secrets else None,
        graph=sample.graph,
        certificates=certificate,
    )
    assert expected_json(reading) == sample.expected
    assert reading.format == sample.format


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_headers_count_in_any_case(sample: Sample) -> None:
    headers = {name.upper(): value for name, value in sample.headers.items()}
    reading = read(sample.body, headers, secrets=secrets(), graph=sample.graph, certificates=certificate)
    assert expected_json(reading) == sample.expected


def test_every_format_has_a_sample() -> None:
    assert {sample.format for sample in samples()} == set(BY_NAME)
    assert len(BY_NAME) == len(FORMATS)
