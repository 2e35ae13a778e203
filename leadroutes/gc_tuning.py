"""Python's collector of reference cycles, told to look seldom: for the few there are it took a fifth of the time.

What no cycle holds is freed at once, as ever.
"""

import gc
from typing import Final

GC_THRESHOLDS: Final = (10_000, 20, 20)  # Python's own 700, 10, 10 are met by a handful of requests


def tune_garbage_collector() -> None:
    """What has been made so far stays, and is not looked at again. For a process that is ready to serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
