"""The collector looks seldom, but it does look."""

import subprocess
import sys

CYCLES = """
import gc, weakref
from leadroutes.gc_tuning import tune_garbage_collector

class Ring:
    def __init__(self):
        self.itself = self

tune_garbage_collector()
frozen = gc.get_freeze_count()
alive, most = weakref.WeakSet(), 0
for number in range(300_000):
    alive.add(Ring())
    most = max(most, len(alive))
print(frozen > 1_000, most)
"""


def test_cycles_do_not_pile_up() -> None:
    ran = subprocess.run([sys.executable, "-c", CYCLES], capture_output=True, text=True, check=True)
    is_frozen, most = ran.stdout.split()
    assert is_frozen == "True"
    assert int(most) < 100_000
