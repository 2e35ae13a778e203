"""Templates in the sandbox: composes a letter to a contact, checks a template before it is saved.

`leadroutes.sandbox.tasks.templates` implements it; only the child processes load that module.
"""

from typing import Final

from leadroutes.domain.template import ComposeResult, TemplateInput, TriedTemplate
from leadroutes.sandbox.work import SandboxFunction

COMPOSE_MESSAGE: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.templates:compose", TemplateInput, ComposeResult, seconds=0.5
)
CHECK_TEMPLATE: Final = SandboxFunction("leadroutes.sandbox.tasks.templates:check", str, str, seconds=2.0)
"""What is wrong with a template, as a sentence; empty where nothing is."""
TRY_TEMPLATE: Final = SandboxFunction("leadroutes.sandbox.tasks.templates:try_out", TriedTemplate, str, seconds=0.5)
"""Why a template cannot be filled in, as a sentence; empty where it can."""
NAMES_USED: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.templates:names_used", tuple[str, ...], list[str], seconds=2.0
)
"""The names that the texts of a template use and do not make themselves, such as `contact.first_name`."""
