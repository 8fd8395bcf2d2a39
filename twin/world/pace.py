"""Pace: how a long run is cut into slices, shows how far it is, and hears Ctrl-C.

Any slicing gives the same rows, so slices may follow the wall clock: they grow while each is over
quickly, and shrink where it is not.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import FrameType
from typing import Any

from tqdm.std import tqdm

_FIRST_SLICE_US = 60_000_000
_LONGEST_SLICE_US = 3_600_000_000  # a quiet night must not lead to a slice of a busy day
_SLICE_S = 0.05  # slices are doubled when they take less, halved when they take more
_US_PER_H = 3.6e9
_QUIET_S = {True: 0.0, None: 2.0, False: 0.0}
_BAR = "{desc} {percentage:3.0f}% |{bar}| {n:.1f}/{total:.1f} h [{remaining}]"


def run_in_slices(
    run: Callable[[int], None], now_us: int, until_us: int, name: str, progress: bool | None
) -> None:
    """Run to a moment in slices.

    Ctrl-C is heard after the slice under way, so that nothing is left half done.

    Parameters
    ----------
    run
        Lets time pass up to a moment [us].
    now_us, until_us
        From where to where [us].
    name
        What the bar says.
    progress
        Show a bar, or not; None for when it takes longer than a moment.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C was heard.
    """
    step_us = _FIRST_SLICE_US
    bar = bar_class()(
        total=(until_us - now_us) / _US_PER_H,
        desc=name,
        delay=_QUIET_S[progress],
        leave=False,
        disable=progress is False,
        bar_format=_BAR,
    )
    with _interruptible() as interrupted, bar:
        while now_us < until_us and not interrupted.is_set():
            began_s, before_us = time.perf_counter(), now_us
            now_us = min(until_us, before_us + step_us)
            run(now_us)
            bar.update((now_us - before_us) / _US_PER_H)
            if time.perf_counter() - began_s < _SLICE_S:
                step_us = min(2 * step_us, _LONGEST_SLICE_US)
            else:
                step_us = max(step_us // 2, _FIRST_SLICE_US)
    if interrupted.is_set():
        raise KeyboardInterrupt


def bar_class() -> Any:
    """Return the progress bar that fits where we run; the notebook's one is slow to import."""
    if _in_notebook() and find_spec("ipywidgets"):
        return import_module("tqdm.notebook").tqdm
    return tqdm


def _in_notebook() -> bool:
    """Say whether this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Let Ctrl-C be heard between slices instead of tearing one."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def hear(_signal: int, _frame: FrameType | None) -> None:
        interrupted.set()

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
