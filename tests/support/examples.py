"""How many examples tests make up: what is usual in every run, many more with LEADROUTES_TEST_EXAMPLES.

`bin/check --deep` sets it to 10,000. It is the number of calls that are made to the service; the other tests keep pace.
"""

import os

USUAL = 300
EXAMPLES = int(os.environ.get("LEADROUTES_TEST_EXAMPLES") or USUAL)


def examples(usual: int) -> int:
    """As many as usual, or as many times more as there are more of all."""
    return max(usual * EXAMPLES // USUAL, 1)
