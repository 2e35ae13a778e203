"""The files that are made from the code, as a list: each a path and a function that answers its content.

bin/generate writes them, bin/generate --check compares; nothing else may write to these paths.
"""
# ruff: noqa: INP001, T201 -- a script, which prints

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import zipcodes
from phonenumbers.geodata import GEOCODE_DATA
from typer.main import get_command

from leadroutes.api.event_records import event_records_sql
from leadroutes.api.openapi import document
from leadroutes.cli import app
from leadroutes.domain.places import STATES, normal_state
from leadroutes.domain.states import LEAD_TRANSITIONS, OFFER_TRANSITIONS
from leadroutes.intake.csv_tables import CONTACT_SOURCE, HEADINGS
from leadroutes.intake.flat import NAMES
from leadroutes.settings import described
from leadroutes.store.migrate import migrations
from leadroutes.web.page import Page
from leadroutes.web.pages import PAGES

ROOT = Path(__file__).parent.parent


def settings_page() -> str:
    rows = "\n".join(
        f"| `{name}` | {f'`{default}`' if default else '–'} | {text} |" for name, default, text in described()
    )
    return f"""# Settings

Everything that can be set, read once from the environment when a command starts. Each may also be given as `NAME_FILE`,
the path of a file that holds the value, as containers hand out secrets. `leadroutes settings` shows those in force.

| name | default | what it does |
|---|---|---|
{rows}
"""


def schema() -> str:
    """The sum of the migrations: what an empty database becomes, for reading in one piece."""
    heading = "-- Made from the migrations by bin/generate; changes belong there.\n\n"
    return heading + "\n".join(sql for _, sql in migrations()).replace(" CONCURRENTLY IF NOT EXISTS", "")


COMMANDS_HEADING = """# Commands

What `leadroutes` can do. Each command explains itself with `--help`. It ends with 0 when it is done, with 1 when it
could not be done (the reason is on standard error), with 2 for wrong arguments.
"""


def commands_page() -> str:
    """Every command with its arguments and options, as its --help shows them."""
    return COMMANDS_HEADING + "".join(_command_text(name, command) for name, command in _commands(get_command(app), ""))


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def _command_text(name: str, command: Any) -> str:
    given = [parameter for parameter in command.params if parameter.name != "help"]
    arguments = "".join(f" {each.metavar or each.name.upper()}" for each in given if each.param_type_name == "argument")
    rows = "".join(
        f"| `{', '.join(each.opts)}` | {each.help or ''}{' Required.' if each.required else ''} |\n"
        for each in given
        if each.param_type_name == "option"
    )
    table = f"\n| option | what it does |\n|---|---|\n{rows}" if rows else ""
    return f"\n## leadroutes {name}{arguments}\n\n{command.help}\n{table}"


def openapi() -> str:
    """The description of the API, as a service at an example address answers it at /openapi.json."""
    return document("https://leads.example.com").decode() + "\n"


MEANINGS = {
    "first": "first name", "last": "last name", "full": "whole name, where there is neither", "email": "e-mail",
    "phone": "phone", "zipcode": "ZIP", "city": "city", "state": "state", "street": "street", "type": "type",
    "source": "lead source", "message": "message", "price": "price", "mls_id": "MLS number",
    "vendor_id": "the source's own id", "test": "a test", "time": "when it came in",
}  # fmt: skip


def lead_sources_page() -> str:
    """The page with the columns that an import knows, from the tables by which it reads."""
    text = (ROOT / "docs" / "lead-sources.md").read_text(encoding="utf-8")
    begin, end = "<!-- made by bin/generate: columns -->", "<!-- end -->"
    head, _, rest = text.partition(begin)
    rows = "\n".join(
        f"| {MEANINGS[meaning]} | {', '.join(f'`{name}`' for name in names)} | {', '.join(HEADINGS.get(meaning, ()))} |"
        for meaning, names in NAMES.items()
    )
    table = f"| what it holds | names | and, behind these, headings of exports |\n|---|---|---|\n{rows}"
    table += f"\n| where the person is known from | `{CONTACT_SOURCE}` | |"
    return f"{head}{begin}\n{table}\n{end}{rest.partition(end)[2]}"


def life_page() -> str:
    """The page with the diagrams of a lead's and an offer's states, from the table by which the code moves."""
    text = (ROOT / "docs" / "what-happens-to-a-lead.md").read_text(encoding="utf-8")
    begin, end = "<!-- made by bin/generate: life -->", "<!-- end -->"
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{_picture()}\n{end}{rest.partition(end)[2]}"


def _picture() -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {_node(state)}: {why}" for state, why in LEAD_TRANSITIONS["received"].items()]
    for before, steps in LEAD_TRANSITIONS.items():
        if before != "received":
            lines += [f"    {_node(before)} --> {_node(after)}: {why}" for after, why in steps.items()]
    lines += ["```", "", "Each of its offers:", "", "```mermaid", "stateDiagram-v2", "    [*] --> scheduled"]
    for before, steps in OFFER_TRANSITIONS.items():
        lines += [f"    {before} --> {after}: {why}" for after, why in steps.items()]
    return "\n".join([*lines, "```"])


def _node(state: str) -> str:
    return state.replace(" ", "_")


def _viewers(page: Page) -> str:
    """Returns who may open a page: what the function is called that decides it."""
    return "team leads" if page.for_team_leads else page.may.__name__.strip("_").replace("_", " ")


def _address(page: Page) -> str:
    return f"/app{page.path.rstrip('/').replace('{', '').replace('}', '')}"


PICTURES_HEADING = """# The web pages in pictures

Every page below `/app` as `bin/demo` fills it: those for everyone on a phone, the others at a desk.
[The web pages](web-pages.md) says what each is for. Made by `bin/screenshots`.
"""


def pictures_page() -> str:
    """A picture of every page below /app, from their declarations."""
    return PICTURES_HEADING + "".join(
        f"\n## {page.title}\n\n`{_address(page)}`\n\n"
        f'<img src="pictures/{page.picture}" width="{260 if page.is_for_phone else 760}" alt="{page.title}">\n'
        for page in PAGES
    )


def web_pages_page() -> str:
    """The page with the table of the pages below /app, from their declarations."""
    text = (ROOT / "docs" / "web-pages.md").read_text(encoding="utf-8")
    begin, end = "<!-- made by bin/generate: pages -->", "<!-- end -->"
    head, _, rest = text.partition(begin)
    rows = "\n".join(f"| `{_address(page)}` | {_viewers(page)} | {page.about} |" for page in PAGES)
    return f"{head}{begin}\n| path | who | what |\n|---|---|---|\n{rows}\n{end}{rest.partition(end)[2]}"


ZONES_HEADING = '''"""Time zones of American zipcodes: AREAS by three digits, OTHERS of those that lie elsewhere.

Made by bin/generate from the package zipcodes, whose own table takes half a second to read and 36 MB to hold.
"""
'''


def time_zones() -> str:
    """Where most of the zipcodes that begin alike lie; forces' post offices overseas lie nowhere."""
    areas: dict[str, Counter[str]] = {}
    zones: dict[str, str] = {}
    for each in zipcodes.list_all():  # type: ignore[no-untyped-call]
        if "/" in (each["timezone"] or ""):
            zones[each["zip_code"]] = each["timezone"]
        areas.setdefault(each["zip_code"][:3], Counter())[zones.get(each["zip_code"], "")] += 1
    usual = {area: counted.most_common(1)[0][0] for area, counted in areas.items()}
    others = {zipcode: zone for zipcode, zone in zones.items() if zone != usual[zipcode[:3]]}
    lines = [ZONES_HEADING, "# fmt: off", "# ruff: noqa: E501", "", "from typing import Final", ""]
    for name, found in (("AREAS", usual), ("OTHERS", others)):
        lines += [f"{name}: Final = {{", *_by_zone(found), "}"]
    return "\n".join([*lines, ""])


def _by_zone(found: Mapping[str, str]) -> Iterator[str]:
    for zone in sorted(set(found.values()) - {""}):
        beginnings = " ".join(sorted(each for each, its in found.items() if its == zone))
        yield f'    "{zone}": "{beginnings}",'


STATES_HEADING = '''"""States of American zipcodes, by three digits or five, and of area codes.

Made by bin/generate from the packages zipcodes and phonenumbers; forces' post offices and territories are not in it.
"""
'''


def state_areas() -> str:
    """Where most of the zipcodes that begin alike lie, and those that lie elsewhere; and the area codes of states."""
    areas: dict[str, Counter[str]] = {}
    states: dict[str, str] = {}
    for each in zipcodes.list_all():  # type: ignore[no-untyped-call]
        states[each["zip_code"]] = each["state"] if each["state"] in STATES else ""
        areas.setdefault(each["zip_code"][:3], Counter())[states[each["zip_code"]]] += 1
    usual = {area: counted.most_common(1)[0][0] for area, counted in areas.items()}
    others = {zipcode: state for zipcode, state in states.items() if state and state != usual[zipcode[:3]]}
    lines = [STATES_HEADING, "# fmt: off", "# ruff: noqa: E501", "", "from typing import Final", ""]
    for name, found in (("ZIPCODES", usual | others), ("AREA_CODES", _area_codes())):
        lines += [f"{name}: Final = {{", *_by_zone(found), "}"]
    return "\n".join([*lines, ""])


def _area_codes() -> dict[str, str]:
    """An area is named by its state, or by its city with the state's two letters."""
    named = {prefix[1:]: words["en"] for prefix, words in GEOCODE_DATA.items() if prefix[0] == "1" and len(prefix) == 4}
    return {
        area: normal_state(words.rpartition(", ")[2].removesuffix(" State").replace("D.C.", "DC")) or ""
        for area, words in named.items()
    }


GENERATED: list[tuple[str, Callable[[], str]]] = [
    ("docs/commands.md", commands_page),
    ("docs/openapi.json", openapi),
    ("docs/lead-sources.md", lead_sources_page),
    ("docs/pictures.md", pictures_page),
    ("docs/settings.md", settings_page),
    ("docs/web-pages.md", web_pages_page),
    ("docs/what-happens-to-a-lead.md", life_page),
    ("leadroutes/domain/state_areas.py", state_areas),
    ("leadroutes/domain/time_zones.py", time_zones),
    ("leadroutes/store/schema.sql", schema),
    ("leadroutes/store/sql/webhooks/show_event_records.sql", event_records_sql),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 where a file differs")
    only_check = parser.parse_args().check
    stale = [(path, content) for path, make in GENERATED if _present(path) != (content := make())]
    for path, content in stale:
        if only_check:
            print(f"{path} is not what the code makes: run bin/generate")
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(content, encoding="utf-8")
            print(f"wrote {path}")
    return int(only_check and bool(stale))


def _present(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main())
