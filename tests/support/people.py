"""A person with a browser: with JavaScript in a Chromium, or without it through httpx; both fill in the same forms."""

from typing import Any, Protocol
from urllib.parse import urljoin

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import Phone

PRESS = """
const [words, fields] = arguments;
const named = (each) => (each.getAttribute("aria-label") || each.textContent).trim().startsWith(words);
const button = [...document.querySelectorAll("button")].filter((each) => each.closest("main") || !each.closest(".app"))
  .find(named);
if (!button) throw new Error(`no button ${words} at ${location.href}: ${document.body.innerText.slice(0, 500)}`);
for (let each = button; each; each = each.parentElement) if (each.matches("details")) each.open = true;
for (const [name, value] of Object.entries(fields)) {
  const field = button.form.elements[name];
  const isMeant = (each) => [each.textContent.trim(), each.value].includes(value);
  if (field.options) field.value = [...field.options].find(isMeant).value;
  else field.value = value;
}
window.isOld = true;
button.click();
"""


class Person(Protocol):
    """`open` an address, `press` a button with what its form is filled in with; `text`: what is read then."""

    async def open(self, address: str) -> None: ...
    async def press(self, words: str, **fields: str) -> None: ...
    async def text(self) -> str: ...


class WithScript:
    """Someone whose browser runs the pages' script."""

    def __init__(self, screen: Phone) -> None:
        self.screen = screen

    async def open(self, address: str) -> None:
        await self.screen.open(address)

    async def press(self, words: str, **fields: str) -> None:
        await self.screen.do(lambda driver: _press(driver, words, fields))

    async def text(self) -> str:
        return str(await self.screen.script("document.body.innerText"))


def _press(driver: Chrome, words: str, fields: dict[str, str]) -> None:
    driver.execute_script(PRESS, words, fields)
    WebDriverWait(driver, 20, 0.05, ignored_exceptions=[Exception]).until(
        lambda _: driver.execute_script("return window.isOld === undefined && document.readyState === 'complete'")
    )


class WithoutScript:
    """Someone whose browser does nothing but show pages and send forms."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.address, self.page = "", LexborHTMLParser("")

    async def open(self, address: str) -> None:
        self._show(await self.client.get(address, follow_redirects=True))

    async def press(self, words: str, **fields: str) -> None:
        buttons = [each for each in self.page.css("button") if _name(each).startswith(words)]
        assert buttons, f"no button {words} at {self.address}: {self.page.body.text()[:2000]}"
        form = next(node for node in _parents(buttons[0]) if node.tag == "form")
        sent = _typed(form, fields)
        if name := buttons[0].attributes.get("name"):
            sent[name] = buttons[0].attributes.get("value") or ""
        address = urljoin(self.address, form.attributes.get("action") or self.address)
        self._show(await self.client.post(address, data=sent, follow_redirects=True))

    async def text(self) -> str:
        return self.page.body.text(separator="\n")

    def _show(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, (str(answer.url), answer.status_code, answer.text)
        self.address, self.page = str(answer.url), LexborHTMLParser(answer.text)


def _name(button: LexborNode) -> str:
    return (button.attributes.get("aria-label") or button.text()).strip()


def _parents(node: LexborNode) -> Any:
    while (node := node.parent) is not None:
        yield node


def _typed(form: LexborNode, fields: dict[str, str]) -> dict[str, str]:
    """What a browser sends: the fields as they are shown, and what was typed into some of them."""
    sent = {}
    for each in form.css("input[name], textarea[name]"):
        name, kind = each.attributes["name"] or "", each.attributes.get("type")
        if kind not in ("checkbox", "radio") or "checked" in each.attributes:
            sent[name] = each.attributes.get("value") or ("on" if kind == "checkbox" else "")
    for each in form.css("select[name]"):
        options = each.css("option")
        wanted = fields.get(each.attributes["name"] or "")
        chosen = [option for option in options if (_names(option, wanted) if wanted else _is_chosen(option))]
        sent[each.attributes["name"] or ""] = (chosen or options)[0].attributes.get("value") or ""
    return sent | {name: value for name, value in fields.items() if not form.css(f"select[name={name}]")}


def _names(option: LexborNode, wanted: str) -> bool:
    return wanted in (option.text().strip(), option.attributes.get("value"))


def _is_chosen(option: LexborNode) -> bool:
    return "selected" in option.attributes
