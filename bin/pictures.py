"""Makes docs/pictures/: what `leadroutes demo` shows in a terminal, and the claim page in a real Chromium.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from selenium import webdriver
from selenium.webdriver.common.by import By

from leadroutes.demo.board import as_table, load_board
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database

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
PHONE = {"width": 390, "height": 680, "deviceScaleFactor": 1.5, "mobile": True}
WIDTH, ROWS = 112, 26  # of the terminal in the picture
ENOUGH = 0.6  # of all leads have to be settled when the board is drawn
LONGEST = 120.0  # seconds until a claim link is printed
TITLE = "bin/demo"
LINK = re.compile(r"https?://\S+/claim/\S+")


async def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="leadroutes-pictures-") as directory:
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "leadroutes", "demo", "--port", str(_free_port()),
            cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert demo.stdout is not None
            await demo.stdout.readline()  # it plays: the database is there
            await _draw_board(Path(directory) / ".leadroutes" / "demo")
            link = await asyncio.wait_for(_claim_link(demo), LONGEST)
            await asyncio.to_thread(_photograph, link)
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


@contextmanager
def _chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        driver.implicitly_wait(10)
        yield driver
    finally:
        driver.quit()


def _save(driver: webdriver.Chrome, name: str) -> None:
    driver.save_screenshot(str(PICTURES / name))
    print(f"made docs/pictures/{name}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
