"""The law of reception against what two testbeds measured, above the receiver's floor."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from twin.radio import usable_reception

MEASURED = pd.read_csv(Path(__file__).parent / "measured" / "prr_by_rssi.csv")
CLEAN, WIFI = "clean_15_20_25_26", "wifi_12_13_17_18_22_23"
K7, MERCATOR = "k7_grenoble50_rounds1to9", "mercator2016_grenoble"
FITS = {
    # cliff [dBm], interference [1], most that may be left [1]
    (K7, CLEAN): (-93.0, 0.0, 0.01),
    (K7, WIFI): (-93.0, 0.224, 0.025),
    (K7, "all"): (-93.0, 0.109, 0.01),
    (MERCATOR, CLEAN): (-92.6, 0.0, 0.01),
    (MERCATOR, WIFI): (-92.6, 0.12, 0.01),
    (MERCATOR, "all"): (-92.3, 0.059, 0.01),
}
WIDTH_DB = 0.6


def bins(measurement: str, channels: str) -> pd.DataFrame:
    found = MEASURED[MEASURED["dataset_subset"] == f"{measurement}|{channels}"]
    found = found[found["rssi_dbm"] > -90]
    assert len(found) > 50
    return found


def rmse(found: pd.DataFrame, cliff_dbm: float, interference: float) -> float:
    """Return what is left of the difference, weighted by how many links each bin has [1]."""
    expected = usable_reception(
        found["rssi_dbm"], cliff_dbm=cliff_dbm, width_db=WIDTH_DB, interference=interference
    )
    squared = (expected - found["prr_mean"]) ** 2
    return float(np.sqrt(np.average(squared, weights=found["n_link_channels"])))


@pytest.mark.parametrize(("data", "fit"), FITS.items(), ids=str)
def test_the_law_meets_what_was_measured(
    data: tuple[str, str], fit: tuple[float, float, float]
) -> None:
    cliff_dbm, interference, most = fit
    assert rmse(bins(*data), cliff_dbm, interference) <= most


@pytest.mark.parametrize("measurement", [K7, MERCATOR])
def test_a_cliff_alone_does_not_explain_channels_under_wifi(measurement: str) -> None:
    assert rmse(bins(measurement, WIFI), -92.6, 0.0) > 0.03


def test_reception_rises_with_the_level_and_falls_with_interference() -> None:
    level_dbm = np.linspace(-120.0, 0.0, 500)
    found = [
        usable_reception(level_dbm, cliff_dbm=-93.0, width_db=WIDTH_DB, interference=share)
        for share in (0.0, 0.1, 0.3)
    ]
    assert all((np.diff(one) >= 0.0).all() for one in found)
    assert (found[0] >= found[1]).all()
    assert (found[1] >= found[2]).all()
    assert found[0][[0, -1]] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(("width_db", "share"), [(0.0, 0.1), (-1.0, 0.1), (0.6, -0.1), (0.6, 1.1)])
def test_what_is_no_law_is_refused(width_db: float, share: float) -> None:
    with pytest.raises(ValueError, match=r"above 0 dB|share from 0 to 1"):
        usable_reception(-80.0, cliff_dbm=-93.0, width_db=width_db, interference=share)
