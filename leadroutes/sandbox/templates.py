"""Templates as they are worked out apart: a letter to a contact is composed, a template that is saved is checked.

How, `leadroutes.sandbox.tasks.templates` knows, which only the process that does it loads.
"""

from typing import Final

from leadroutes.domain.template import ComposeResult, TemplateInput
from leadroutes.sandbox.work import SandboxFunction

COMPOSE_MESSAGE: Final = SandboxFunction(
    "leadroutes.sandbox.tasks.templates:compose", TemplateInput, ComposeResult, seconds=0.5
)
CHECK_TEMPLATE: Final = SandboxFunction("leadroutes.sandbox.tasks.templates:check", str, str, seconds=2.0)
"""What is wrong with a template, as a sentence; empty where nothing is."""
