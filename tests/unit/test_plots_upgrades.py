"""Pictures of upgrades: what is drawn is what the frames say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.plots import upgrade_curve, upgrade_map
from twin.plots.lines import upgrade_line

MINUTE_US = 60_000_000


@pytest.fixture(name="devices")
def _devices() -> pd.DataFrame:
    """Nineteen that succeed, one a minute, and one that fails in the thirtieth."""
    return pd.DataFrame({
        "device": [f"d{n}" for n in range(20)],
        "outcome": ["success"] * 19 + ["failure"],
        "reason": [""] * 19 + ["no_route"],
        "done_us": [(5 + n) * MINUTE_US for n in range(1, 20)] + [35 * MINUTE_US],
    })  # fmt: skip


def axes() -> Axes:
    return Figure(figsize=(8, 5)).add_subplot()


def legend(ax: Axes) -> list[str]:
    found = ax.get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def test_the_curve_steps_at_each_device(devices: pd.DataFrame) -> None:
    ax = upgrade_curve(axes(), devices, began_us=5 * MINUTE_US)
    drawn = {line.get_gid(): line for line in ax.lines}
    x, y = (np.asarray(values) for values in drawn["success"].get_data())
    assert x[1:-1].tolist() == list(range(1, 20))
    assert y.tolist() == [*range(20), 19]
    assert drawn["failure"].get_xdata()[1] == 30
    assert legend(ax) == ["succeeded: 19", "failed: 1"]
    said = [text.get_text() for text in ax.texts]
    assert "50 % in 10.0 min" in said
    assert "95 % in 19.0 min" in said
    assert "[min]" in ax.get_xlabel()


def test_the_curve_of_nothing_says_so(devices: pd.DataFrame) -> None:
    devices["done_us"], devices["outcome"] = -1, "pending"
    ax = upgrade_curve(axes(), devices, began_us=0)
    assert [text.get_text() for text in ax.texts] == ["no device is through"]


def test_the_map_colours_outcomes(devices: pd.DataFrame) -> None:
    nodes = pd.DataFrame({
        "node": [*devices["device"], "bridge"], "is_bridge": [False] * 20 + [True],
        "x_m": np.arange(21.0), "y_m": np.arange(21.0),
    })  # fmt: skip
    ax = upgrade_map(axes(), nodes, devices)
    points = {line.get_gid(): line.get_xdata().tolist() for line in ax.lines}
    assert points == {
        "success": list(range(19)), "failure": [19.0], "bridges": [20.0],
    }  # fmt: skip
    assert legend(ax) == ["success: 19", "failure: 1", "bridge"]
    nodes["x_m"] = np.nan
    assert upgrade_map(axes(), nodes, devices).texts[0].get_text() == "no device has a place"


def test_the_line_says_who_failed_and_why(devices: pd.DataFrame) -> None:
    upgrades = pd.DataFrame({"succeeded": [19], "devices": [20], "t95_min": [19.0]})
    assert upgrade_line(upgrades, devices) == (
        "19 of 20 devices run the image, 95 % of all after 19.0 min; failed: 1 no_route."
    )
