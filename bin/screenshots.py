"""Makes docs/pictures/: what `leadroutes demo` shows in a terminal, the claim page and all other pages in a Chromium.

The demonstration runs in a process and a directory of its own, and is watched from outside.
"""
# ruff: noqa: INP001, T201 -- a script, which prints

import asyncio
import io
import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from PIL import Image
from rich.console import Console
from selenium import webdriver
from selenium.webdriver.common.by import By

from leadroutes.demo.board import as_table, load_board
from leadroutes.settings import Settings
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from leadroutes.web.page import Page
from leadroutes.web.pages import PAGES

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
CLAIM = {"width": 390, "height": 680, "deviceScaleFactor": 1.5, "mobile": True}
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
OWNER, AGENT = "rosalind.vale@example.com", "imani.osterhaus@example.com"
PASSWORD = "welcome-home"  # noqa: S105 -- of the demonstration
LARGEST = 80_000  # bytes of a picture
WIDTH, ROWS = 112, 26  # of the terminal in the picture
ENOUGH = 0.6  # of all leads have to be settled when the board is drawn
LONGEST = 120.0  # seconds until a claim link is printed
TITLE = "bin/demo"


class Shot(NamedTuple):
    """A page to take: of whom; `record`: the page of the first record that its list links to."""

    page: Page
    who: str
    record: bool

    @property
    def screen(self) -> dict[str, Any]:
        return PHONE if self.page.is_for_phone else DESK

    @property
    def path(self) -> str:
        return "/app" + self.page.path.partition("/{id}")[0].rstrip("/")


def _shots() -> list[Shot]:
    """Every declared page but that of a Team Lead; those first that show what is on offer at that moment."""
    shots = [
        Shot(page, AGENT if page.is_for_phone else OWNER, "/{id}" in page.path)
        for page in PAGES
        if not page.for_team_leads
    ]
    return sorted(shots, key=lambda shot: shot.page.path not in LIVELY)


LIVELY = ("/board", "/")  # taken while leads come in
PEOPLE = b"First Name,Last Name,Email,Phone,Tags\nMia,Lund,mia.lund@example.org,303-555-0143,lake house\n"
LINK = re.compile(r"https?://\S+/claim/\S+")


async def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="leadroutes-pictures-") as directory:
        port = _free_port()
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "leadroutes", "demo", "--port", str(port),
            cwd=directory, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            assert demo.stdout is not None
            await demo.stdout.readline()  # printed when the database is ready
            await _draw_board(Path(directory) / ".leadroutes" / "demo")
            address, shots = f"http://127.0.0.1:{port}", _shots()
            await asyncio.to_thread(_take_all, [shot for shot in shots if shot.page.path in LIVELY], address)
            link = await asyncio.wait_for(_claim_link(demo), LONGEST)
            await asyncio.to_thread(_photograph, link)
            await _add_what_is_missing(Path(directory) / ".leadroutes" / "demo", address)
            await asyncio.to_thread(_take_all, [shot for shot in shots if shot.page.path not in LIVELY], address)
            await asyncio.to_thread(_take_team_lead, address)
        finally:
            demo.send_signal(signal.SIGTERM)
            await demo.wait()
    return 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


# --------------------------------------------------------------------------------------------------------- the board


async def _draw_board(data: Path) -> None:
    """Draw the board while some leads are still on offer."""
    database = await Database.open(Settings(data=data))
    try:
        lines = await load_board(database, 1)
        while sum(line.is_settled for line in lines) < ENOUGH * max(len(lines), 20):
            await asyncio.sleep(0.1)
            lines = await load_board(database, 1)
    finally:
        await database.close()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(as_table(lines, WIDTH, ROWS))
    picture = console.export_svg(title=TITLE)
    # The viewer's own monospace font is as good, and makes the picture independent of other hosts.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    (PICTURES / "demo.svg").write_text(picture, encoding="utf-8")
    print("made docs/pictures/demo.svg")


# ---------------------------------------------------------------------------------------------------- the claim page


async def _claim_link(demo: asyncio.subprocess.Process) -> str:
    """Return the link to an open offer, which the demonstration prints when all leads have settled."""
    assert demo.stdout is not None
    async for line in demo.stdout:
        if found := LINK.search(line.decode()):
            return found[0]
    raise RuntimeError("the demonstration ended without a claim link")


def _photograph(link: str) -> None:
    """Take the page before the claim and after it."""
    with _chromium() as driver:
        driver.get(link)
        _save(driver, "claim.png")
        driver.find_element(By.CSS_SELECTOR, "main button").click()
        driver.find_element(By.CSS_SELECTOR, "a[href^='tel:']")
        _save(driver, "claimed.png")


# ---------------------------------------------------------------------------------------------------------- all pages


async def _add_what_is_missing(data: Path, address: str) -> None:
    """Make a record of each kind that the demonstration has none of, and the owner an administrator."""
    database = await Database.open(Settings(data=data))
    try:
        await database.execute("UPDATE users SET is_admin = true WHERE email = $1", OWNER)
        owner, agent = [await accounts.issue_token(database, email, ["write"]) for email in (OWNER, AGENT)]
    finally:
        await database.close()
    headers = {"authorization": f"Bearer {owner}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=LONGEST) as api:
        sent = await api.post(
            "/imports", params={"file_name": "people.csv"}, content=PEOPLE, headers={"content-type": "text/csv"}
        )
        sent.raise_for_status()
        (await api.post("/webhooks", json={"url": "https://hooks.example.com/leads"})).raise_for_status()
        members = (await api.get("/team-members")).raise_for_status().json()["data"]
        accepted = dict.fromkeys(each["user"]["id"] for each in members if each["request_status"] == "Accepted")
        for number, user_id in enumerate([*accepted][:3]):
            listing = {"mls_id": f"RE-20{number}417", "user_id": user_id}
            (await api.post("/listing-agents", json=listing)).raise_for_status()
        teams = (await api.get("/teams", params={"$limit": 1})).raise_for_status().json()["data"]
        lead = {"email": AGENT, "role": "Team Lead", "team_id": teams[0]["id"]}
        made = (await api.post("/delegates", json=lead)).raise_for_status().json()
        accept = f"/delegates/{made['id']}/acceptance"
        (await api.post(accept, headers={"authorization": f"Bearer {agent}"})).raise_for_status()


def _take_all(shots: Sequence[Shot], address: str) -> None:
    """Take each page as its reader sees it."""
    for who in dict.fromkeys(shot.who for shot in shots):
        with _signed_in(address, who) as driver:
            for shot in shots:
                if shot.who == who:
                    _take(driver, shot, address)


@contextmanager
def _signed_in(address: str, who: str) -> Iterator[webdriver.Chrome]:
    with _chromium() as driver:
        driver.get(f"{address}/sign-in")
        driver.find_element(By.NAME, "email").send_keys(who)
        driver.find_element(By.NAME, "password").send_keys(PASSWORD)
        driver.find_element(By.CSS_SELECTOR, "main button:not([type=button])").click()
        driver.find_element(By.CSS_SELECTOR, "body.app")
        yield driver


def _take(driver: webdriver.Chrome, shot: Shot, address: str) -> None:
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shot.screen)
    driver.get(address + shot.path)
    if shot.record:
        links = [each.get_attribute("href") or "" for each in driver.find_elements(By.CSS_SELECTOR, "main a[href]")]
        record = re.compile(re.escape(address + shot.path) + r"/\d+")
        below = shot.page.path.partition("/{id}")[2]
        driver.get(next(found[0] for link in links if (found := record.match(link))) + below)
    for _ in range(30):
        if "0:00" not in driver.find_element(By.TAG_NAME, "main").text:
            break
        time.sleep(1)  # an offer whose time is over goes away by itself
        driver.refresh()
    _save_small(driver, shot.page.picture)


def _take_team_lead(address: str) -> None:
    """The page of whoever acts for an owner as Team Lead."""
    [page] = [page for page in PAGES if page.for_team_leads]
    with _signed_in(address, AGENT) as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        driver.execute_script("document.querySelector('form[action$=\"/app/acting\"] button[value]').click()")
        driver.find_element(By.CSS_SELECTOR, ".acting")
        driver.get(f"{address}/app{page.path}")
        _save_small(driver, page.picture)


def _save_small(driver: webdriver.Chrome, name: str) -> None:
    _save(driver, name)
    file = PICTURES / name
    for colours in (128, 64, 32, 16):
        with Image.open(file) as picture:
            small = picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE)
        small.save(file, optimize=True)
        if file.stat().st_size < LARGEST:
            return
    raise RuntimeError(f"{file} has more than {LARGEST} bytes")


@contextmanager
def _chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", CLAIM)
        driver.implicitly_wait(15)
        yield driver
    finally:
        driver.quit()


def _save(driver: webdriver.Chrome, name: str) -> None:
    driver.save_screenshot(str(PICTURES / name))
    print(f"made docs/pictures/{name}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
