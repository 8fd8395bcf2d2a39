"""Two engines, one trace: byte for byte, over scenarios, seeds and slicings."""

import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

import twin
from tests.agreement.shapes import CHANGES, shape
from twin.events import Kind, Outcome, Slip
from twin.floor.reference import engine as reference_engine
from twin.scenario import Scenario
from twin.twin import Twin


def run(scenario: Scenario, engine: str, seed: int, cuts: Sequence[int] = ()) -> Twin:
    """Return a finished run, stopped at some moments on the way."""
    opened = twin.open(scenario, seed=seed, engine=engine)
    for moment_us in (*cuts, scenario.run.horizon_us):
        opened.run_to_us(moment_us, progress=False)
    return opened


def assert_same(one: Twin, other: Twin) -> None:
    """Two runs have the same rows and the same figures."""
    a, b = one.rows(), other.rows()
    for i in range(min(len(a), len(b))):
        if a[i] != b[i]:
            pytest.fail(f"row {i} differs:\n{a.dtype.names}\n{a[i]}\n{b[i]}")
    assert len(a) == len(b)
    assert a.tobytes() == b.tobytes()
    assert one.kpis().equals(other.kpis())
    assert one.gateways().equals(other.gateways())


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize("name", CHANGES)
def test_same_rows(name: str, seed: int) -> None:
    scenario = shape(name)
    assert_same(run(scenario, "compiled", seed), run(scenario, "reference", seed))


@pytest.mark.parametrize("name", ["site dense lossy", "site short drops", "site with everything"])
@pytest.mark.parametrize("seed", range(10, 20))
def test_same_rows_over_many_seeds(name: str, seed: int) -> None:
    scenario = twin.vary(shape(name), "run.horizon", "2 min")
    assert_same(run(scenario, "compiled", seed), run(scenario, "reference", seed))


def _cuts(scenario: Scenario, seed: int) -> list[int]:
    """Return moments that fall between, and exactly on, rows of the run."""
    times = run(scenario, "compiled", seed).rows()["time_us"]
    on_rows = np.unique(times)[:: max(1, len(times) // 5)].tolist()
    return sorted({*on_rows, *(moment_us + 1 for moment_us in on_rows)})


@pytest.mark.parametrize(
    "name",
    ["pilot lossy", "site dense", "site coarse", "site short drops", "site with everything"],
)
def test_same_rows_however_sliced(name: str) -> None:
    scenario = shape(name)
    cuts = _cuts(scenario, 5)
    whole = run(scenario, "compiled", 5)
    assert_same(whole, run(scenario, "compiled", 5, cuts))
    assert_same(whole, run(scenario, "reference", 5, cuts))


def test_the_shapes_are_rich() -> None:
    """The comparison means something only where ties, losses, queues and breaks occur."""
    coarse = run(shape("site coarse"), "compiled", 1).rows()
    assert (np.diff(coarse["time_us"]) == 0).mean() > 0.01
    lossy = run(shape("site dense lossy"), "compiled", 1).rows()
    assert set(np.unique(lossy["outcome"]).tolist()) >= {0, 1, 2, 5}
    slow = run(shape("site overloaded"), "compiled", 1).rows()
    assert slow["wait_us"].max() > 1_000_000
    short = run(shape("site short of scanners"), "compiled", 1).rows()
    assert set(np.unique(short["kind"]).tolist()) == {Kind.SESSION_CLOSE, Kind.UNEQUIPPED}
    full = np.concatenate([
        run(shape(name), "compiled", 1).rows()
        for name in ("site with everything", "site flat batteries", "site bad links")
    ])  # fmt: skip
    assert set(np.unique(full["kind"]).tolist()) == set(Kind)
    assert set(np.unique(full["outcome"]).tolist()) >= set(Outcome) - {Outcome.NO_GATEWAY}
    assert set(np.unique(full["slip"]).tolist()) == set(Slip)
    assert full["copies"].max() > 1


def test_without_the_tie_rule_the_traces_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unranked(reference_engine.Ranked):
        def __init__(self, env: object, moment_us: int, rank: int) -> None:
            super().__init__(env, moment_us, 0 * rank)  # type: ignore[arg-type]

    scenario = shape("site coarse")
    right = run(scenario, "compiled", 1)
    monkeypatch.setattr(reference_engine, "Ranked", Unranked)
    assert right.rows().tobytes() != run(scenario, "reference", 1).rows().tobytes()


def test_same_rows_with_the_compiler_off() -> None:
    program = (
        "import twin, hashlib;"
        "from tests.agreement.shapes import shape;"
        "s = twin.vary(shape('site with everything'), 'run.horizon', '1 min');"
        "rows = [twin.open(s, engine=e).run(progress=False).rows().tobytes()"
        " for e in ('compiled', 'reference')];"
        "print([hashlib.sha256(r).hexdigest() for r in rows], len(rows[0]))"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"NUMBA_DISABLE_JIT": off}, capture_output=True, text=True, check=True,
        ).stdout
        for off in ("0", "1")
    ]  # fmt: skip
    assert outputs[0] == outputs[1]
    first, second = outputs[0].split("'")[1::2]
    assert first == second
    assert int(outputs[0].split()[-1]) > 64 * 1000
