"""Work in short steps, so that Blender can draw and listen in between; long computing runs in a thread beside it.

Steps yield None where they may go on at once, or the future that they wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import ParamSpec, TypeVar

__all__ = ["TICK_S", "Steps", "advance", "aside", "finish"]

T = TypeVar("T")
P = ParamSpec("P")
Steps = Generator[Future | None, None, T]

# How long one turn may last: a step that was begun within it is still done to its end.
TICK_S = 0.03


def aside(work: Callable[P, T], *arguments: P.args, **settings: P.kwargs) -> Steps[T]:
    """Run `work` in a thread and wait for what it returns or raises. It must never touch bpy.

    Closed early, the thread runs to its end and nobody hears of it.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="atcn")
    future = pool.submit(work, *arguments, **settings)
    pool.shutdown(wait=False)
    while not future.done():
        yield future
    return future.result()


def advance(steps: Steps[T], budget_s: float = TICK_S) -> None:
    """Take steps for about so long, or until they wait for something. Raises StopIteration with their value."""
    end_s = time.perf_counter() + budget_s
    while next(steps) is None and time.perf_counter() < end_s:
        pass


def finish(steps: Steps[T]) -> T:
    """Take all steps at once, for callers that may hold Blender. Returns their value."""
    try:
        while True:
            awaited = next(steps)
            if awaited is not None:
                wait([awaited])
    except StopIteration as end:
        return end.value
    finally:
        steps.close()
