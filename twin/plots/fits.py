"""Fits: what was measured, and the laws that were fitted to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from twin.plots.style import PALETTE, SKY, legend_above, say_empty, tidy

__all__ = ["fit_quality"]

_BINS = 40
_POINTS = 400
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 3)))
_DECADES = 2.0
"""Over more of them the axis is logarithmic."""


def fit_quality(
    ax: Axes,
    samples: ArrayLike,
    fits: Sequence[tuple[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]],
    label: str,
) -> Axes:
    """Draw the histogram of samples, and the densities of laws on top of it.

    Parameters
    ----------
    ax
        Where to draw.
    samples
        What was measured, shape (n,).
    fits
        Names and densities, the best first: that one is drawn strongest.
    label
        Of the x axis, with its unit.

    Returns
    -------
    Axes
        x: what was measured, logarithmic over two decades and more; y: density, per unit of x.
    """
    found = np.sort(np.asarray(samples, np.float64))
    found = found[np.isfinite(found)]
    tidy(ax).set_xlabel(label)
    if not len(found):
        return say_empty(ax, "nothing was measured")
    low, high = float(found[0]), float(found[-1])
    if low == high:
        low, high = low - 0.5, high + 0.5
    is_log = low > 0 and np.log10(high / low) > _DECADES
    space = np.geomspace if is_log else np.linspace
    ax.hist(
        found,
        space(low, high, _BINS + 1).tolist(),
        density=True,
        color=SKY,
        alpha=0.45,
        label="measured",
    )
    top = ax.get_ylim()[1]
    at = space(low, high, _POINTS)
    for place, (name, density) in enumerate(fits):
        ax.plot(
            at, density(at), color=PALETTE[(0, 5, 2, 3, 1, 6)[place % 6]], label=name,
            linestyle=_DASHES[place % len(_DASHES)], linewidth=2.4 if place == 0 else 1.3,
        )  # fmt: skip
    if is_log:
        ax.set_xscale("log")
    # A density may go to infinity at an end, where it would flatten all else.
    ax.set_ylim(0.0, 1.25 * top)
    ax.set_ylabel(f"density [1/{label.rsplit('[', maxsplit=1)[-1].rstrip(']')}]")
    legend_above(ax)
    return ax
