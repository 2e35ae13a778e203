"""Templates as they are worked out apart: a letter to a contact is composed, a template that is saved is checked.

How, `leadroutes.sandbox.tasks.templates` knows, which only the process that does it loads.
"""

from typing import Final

from leadroutes.domain.template import Composed, Letter
from leadroutes.sandbox.work import Work

COMPOSE: Final = Work("leadroutes.sandbox.tasks.templates:compose", Letter, Composed, seconds=0.5)
CHECK: Final = Work("leadroutes.sandbox.tasks.templates:check", str, str, seconds=2.0)
"""What is wrong with a template, as a sentence; empty where nothing is."""
