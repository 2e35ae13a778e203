"""Tunes the garbage collector: start-up objects are frozen, thresholds raised. The default took a fifth of the CPU.

What is in no reference cycle is freed at once, as before.
"""

import gc
from typing import Final

GC_THRESHOLDS: Final = (10_000, 20, 20)  # Python's own 700, 10, 10 are met by a handful of requests


def tune_garbage_collector() -> None:
    """What has been made so far stays, and is not looked at again. For a process that is ready to serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
