"""Samples of the vendors, and short ways to write bodies like theirs."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from leadroutes.domain.inquiry import Inquiry
from leadroutes.intake.reading import read
from leadroutes.intake.results import Reading, Refusal

SAMPLES = Path(__file__).parents[1] / "intake" / "samples"


@dataclass(frozen=True)
class Sample:
    """One vendor's body, with what must be found in it."""

    name: str
    format: str
    body: bytes
    headers: dict[str, str]
    expected: dict[str, Any]
    graph: dict[str, Any] | None


@cache
def samples() -> tuple[Sample, ...]:
    index = json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))
    return tuple(_sample(entry) for entry in index)


def sample(name: str) -> Sample:
    return next(each for each in samples() if each.name == name)


def _sample(entry: Mapping[str, str]) -> Sample:
    lines = (SAMPLES / entry["headers"]).read_text(encoding="utf-8").splitlines() if "headers" in entry else []
    reply = json.loads((SAMPLES / entry["graph"]).read_text(encoding="utf-8")) if "graph" in entry else None
    return Sample(
        name=entry["name"],
        format=entry["format"],
        body=(SAMPLES / entry["body"]).read_bytes(),
        headers={name: value.strip() for name, _, value in (line.partition(":") for line in lines)},
        expected=json.loads((SAMPLES / entry["expected"]).read_text(encoding="utf-8")),
        graph=reply and {reply["id"]: reply},
    )


def secrets() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((SAMPLES / "test-secrets.json").read_text(encoding="utf-8"))
    return whole


def certificate(address: str) -> bytes:
    return (SAMPLES / "sns-test-signing-cert.pem").read_bytes()


def basic(user: str, password: str = "") -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def read_json(format_: str, value: Any, **options: Any) -> Reading:
    return read(json.dumps(value).encode(), {"Content-Type": "application/json"}, format=format_, **options)


def only(reading: Reading) -> Inquiry:
    """The one lead of a reading."""
    (result,) = reading.results
    assert isinstance(result, Inquiry), result
    return result


def why(reading: Reading) -> str:
    """Why the one lead of a reading was refused."""
    (result,) = reading.results
    assert isinstance(result, Refusal), result
    return result.why
