"""A sheet: pictures side by side or below each other, as the bytes of a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.plots.style import house_style

__all__ = ["png"]

_WIDTH = 8.0  # of a sheet [inches]


def png(drawings: Sequence[Callable[[Axes], Axes]], *, height: float = 1.8) -> bytes:
    """Draw pictures below each other into a figure of their own, and give its file.

    Parameters
    ----------
    drawings
        Each draws into the axes that it is given.
    height
        Of each [inches].
    """
    with house_style():
        # Not pyplot: it would keep the figure for good.
        figure = Figure(figsize=(_WIDTH, height * len(drawings)), layout="constrained")
        for draw, ax in zip(drawings, figure.subplots(len(drawings), squeeze=False)[:, 0],
                            strict=True):  # fmt: skip
            draw(ax)
        file = io.BytesIO()
        # No version, so that the same runs give the same bytes for longer.
        figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
