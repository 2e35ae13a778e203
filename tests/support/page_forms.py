"""Reads pages and their forms as a browser does, and follows where an answer leads."""

import re
from html import unescape

import httpx


def words_of(page: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def form(page: str, do: str, on: object = None) -> dict[str, str]:
    """The hidden fields of the first form of this name, of the one `on` this if it is given."""
    for each in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', each)
        hidden = {name: unescape(value) for name, value in fields}
        if hidden.get("do") == do and (on is None or hidden.get("on") == str(on)):
            return hidden
    raise AssertionError(f"no form {do} {on}")


async def follow(browser: httpx.AsyncClient, answer: httpx.Response) -> str:
    assert answer.status_code == 303, words_of(answer.text)[:600]
    shown = await browser.get(answer.headers["location"])
    assert shown.status_code == 200
    return shown.text


def filled(page: str, do: str, on: object = None) -> dict[str, str]:
    """Everything that a browser would send of that form as it is shown, but for its form token."""
    text = next(
        each
        for each in re.findall(r"<form.*?</form>", page, re.DOTALL)
        if f'name="do" value="{do}"' in each and (on is None or f'name="on" value="{on}"' in each)
    )
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and (("checkbox" not in tag and "radio" not in tag) or " checked" in tag) and name[1] != "once":
            found[name[1]] = unescape(value[1]) if value else ""
    for name_, inside in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        options = re.findall(r'<option value="([^"]*)"( selected)?', inside)
        found[name_] = unescape(next((value for value, chosen in options if chosen), options[0][0]))
    for name_, words in re.findall(r'<textarea[^>]*name="([^"]+)".*?>\n?(.*?)</textarea>', text, re.DOTALL):
        found[name_] = unescape(words)
    return found
