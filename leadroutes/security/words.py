"""The words of somebody else's HTML, as they are made apart; how, `leadroutes.intake.apart` knows."""

from typing import Final

from leadroutes.security.work import Work

WORDS: Final = Work("leadroutes.intake.apart:words_of", str, str, seconds=1.0)
