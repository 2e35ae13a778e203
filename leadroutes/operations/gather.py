"""Runs several coroutines concurrently, all of them or none."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def gather_or_cancel(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all concurrently. If one fails the others are cancelled, and its error is raised unchanged."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
