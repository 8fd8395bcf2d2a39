"""What holds for every test: a clean environment, and no figure left open."""

import os
import sys
from collections.abc import Iterator

import pytest

# Kernels of notebooks inherit these: a backend of their own, and sets in one order.
os.environ.pop("MPLBACKEND", None)
os.environ["PYTHONHASHSEED"] = "0"


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
