"""Extraction of the words of untrusted HTML in the sandbox; `leadroutes.sandbox.tasks.bodies` implements it."""

from typing import Final

from leadroutes.sandbox.work import SandboxFunction

WORDS: Final = SandboxFunction("leadroutes.sandbox.tasks.bodies:words_of", str, str, seconds=1.0)
