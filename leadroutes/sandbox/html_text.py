"""The words of somebody else's HTML, as they are made apart; how, `leadroutes.sandbox.tasks.bodies` knows."""

from typing import Final

from leadroutes.sandbox.work import SandboxFunction

WORDS: Final = SandboxFunction("leadroutes.sandbox.tasks.bodies:words_of", str, str, seconds=1.0)
