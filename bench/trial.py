"""A trial of a draft by `leadroutes try`, with the memory that it takes.

A program (`python -m bench.trial DRAFT EMAIL`); after what the command says, its last line has the figures as JSON.
"""

import resource
import sys
import time

import msgspec

from leadroutes.cli import app

HALVES = 2  # processes beside this one; each takes at most what the largest of them takes


def main(draft: str, email: str) -> dict[str, float]:
    """Returns how long it took, its CPU time, and an upper bound of its memory in MB (10^6 bytes), of all processes."""
    begun = time.perf_counter()
    app(["try", draft, "--owner", email, "--since", "90d"], standalone_mode=False)
    seconds = time.perf_counter() - begun
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "seconds": seconds,
        "cpu_seconds": sum(each.ru_utime + each.ru_stime for each in (own, children)),
        "megabytes": (own.ru_maxrss + HALVES * children.ru_maxrss) * 1024 / 1e6,
    }


if __name__ == "__main__":
    print(msgspec.json.encode(main(*sys.argv[1:])).decode())
