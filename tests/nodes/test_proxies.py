"""Which address counts for limits behind a proxy: one that the proxy has seen, and never one that a client makes up."""

import re

import httpx
import pytest
import yaml

from chaos.programs import ROOT, clean_environment
from tests.support.processes import SERVE_ONLY, node

CLIENT = "203.0.113.9"


def environment(database_url: str, trusted: str | None) -> dict[str, str]:
    given = {"FORWARDED_ALLOW_IPS": trusted} if trusted else {}
    ours = {
        "DATABASE_URL": database_url,
        "LEADROUTES_SECRET": "the same on every node",
        "LEADROUTES_RATE_PER_ADDRESS": "3/hour",
    }
    return clean_environment() | given | ours


async def statuses(address: str, chains: list[list[str]]) -> list[int]:
    """What calls are answered with these X-Forwarded-For headers."""
    async with httpx.AsyncClient(base_url=address) as client:
        return [
            (await client.get("/me", headers=[("X-Forwarded-For", each) for each in chain])).status_code
            for chain in chains
        ]


@pytest.mark.parametrize(
    ("trusted", "suffixes"),
    [
        (None, [[CLIENT]]),
        ("127.0.0.1", [["", CLIENT], [CLIENT]]),
        (
            "127.0.0.1,10.0.0.0/8",
            [[f"{CLIENT}, 10.1.2.3"], [CLIENT, "10.9.9.9, 10.1.1.1"], [f"{CLIENT}:4711, 127.0.0.1"]],
        ),
    ],
)
async def test_whatever_a_client_puts_before_its_address_counts_for_nothing(
    database_url: str, trusted: str | None, suffixes: list[list[str]]
) -> None:
    forged = [[f"198.51.100.{number}", *suffixes[number % len(suffixes)]] for number in range(5)]
    forged += [[f"10.0.0.{number}, 192.0.2.{number}", *suffixes[number % len(suffixes)]] for number in range(5)]
    async with node(environment(database_url, trusted), *SERVE_ONLY) as served:
        assert await statuses(served.address, forged) == [401] * 3 + [429] * 7
        assert await statuses(served.address, [["198.51.100.1"]]) == [401], "others are counted for themselves"


async def test_who_is_not_a_proxy_is_not_believed(database_url: str) -> None:
    async with node(environment(database_url, "192.0.2.1"), *SERVE_ONLY) as served:
        chains = [[f"198.51.100.{number}"] for number in range(5)]
        assert await statuses(served.address, chains) == [401] * 3 + [429] * 2


async def test_that_everyone_is_believed_is_logged(database_url: str) -> None:
    async with node(environment(database_url, "*"), *SERVE_ONLY) as served:
        assert any("FORWARDED_ALLOW_IPS is *" in line for line in served.log)


def test_our_own_examples_leave_a_client_no_word() -> None:
    nginx = (ROOT / "deploy" / "nginx.conf").read_text()
    assert re.findall(r"proxy_set_header\s+X-Forwarded-For\s+(\S+);", nginx) == ["$remote_addr"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yml").read_text())
    trusted = compose["x-leadroutes"]["environment"]["FORWARDED_ALLOW_IPS"]
    assert trusted == compose["services"]["caddy"]["networks"]["default"]["ipv4_address"]
    assert "trusted_proxies " not in re.sub(r"#.*", "", (ROOT / "deploy" / "Caddyfile").read_text())
    for path in (ROOT / "deploy").iterdir():
        assert not re.search(r"^[^#]*FORWARDED_ALLOW_IPS[=:]\W*\*", path.read_text(), re.MULTILINE), path.name
