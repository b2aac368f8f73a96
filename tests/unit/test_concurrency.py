"""Work of an export in threads: of an error that nobody waits for any more nothing is printed."""

import asyncio
import gc
import threading
from typing import Any

from adspark.concurrency import in_thread


async def test_a_thread_that_fails_after_its_cancellation_is_waited_for_and_says_nothing() -> None:
    told: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    is_cancelled = threading.Event()

    def fail() -> None:
        is_cancelled.wait()
        raise OSError("No space left on device")

    work = asyncio.create_task(in_thread(fail))
    loop.call_soon(work.cancel)  # once it has begun
    await asyncio.sleep(0)
    loop.call_soon(is_cancelled.set)
    await asyncio.wait([work])
    assert work.cancelled()
    del work
    gc.collect()
    assert told == []
