"""What it takes to fork a twin, to keep a snapshot of it, and to come back from one."""

import tempfile
from pathlib import Path

import twin
from benchmarks.measure import RUNS, seconds, spread
from twin.twin import Twin

PILOT_ROWS = 2_809


def forks() -> None:
    """Forks of the pilot line and the reference site at ten, and the way back of the latter."""
    pilot = twin.open("pilot_line").run("4 h", progress=False)
    assert len(pilot.rows()) == PILOT_ROWS
    site = twin.open("reference_site").run("10 h", progress=False)
    print("a fork, which goes on to the same rows")
    for name, t, goal in (("pilot_line, 4 h", pilot, "   (goal: 20)"),
                          ("reference_site, 10 h", site, "")):  # fmt: skip
        print(f"  {name:22}{spread([seconds(t.fork) for _ in range(RUNS)], 1e3)} ms{goal}")
        other = t.fork().run("1 h", progress=False)
        assert other.rows().tobytes() == t.run("1 h", progress=False).rows().tobytes()
    with tempfile.TemporaryDirectory() as folder:
        snapshots(Path(folder) / "site.sqlite")


def snapshots(path: Path) -> None:
    """Keep the reference site in a file: snapshots hour by hour, and the way back at noon."""
    t = twin.open("reference_site", state=path)
    taken = []
    for _ in range(12):
        t.run("1 h", progress=False)
        taken.append(seconds(t.keep_snapshot))
    ((floor, mesh),) = t.database.execute("SELECT floor_rows, mesh_rows FROM snapshot").fetchall()
    assert (floor, mesh) == (len(t.rows()), len(t.mesh_rows()))
    print(f"a snapshot each hour of reference_site, {floor:,} and {mesh:,} rows at the end")
    print(f"  each                  {spread(taken, 1e3)} ms")
    saving = seconds(t.save)
    quick = [seconds(lambda: came_back(path, t)) for _ in range(RUNS)]
    with t.database.transaction():
        t.database.execute("DELETE FROM snapshot")
    slow = [seconds(lambda: came_back(path, t)) for _ in range(RUNS)]
    print(f"  save, once            {saving * 1e3:,.0f} ms")
    print(f"  open again            {spread(quick, 1e3)} ms, without it {spread(slow, 1e3)} ms")


def came_back(path: Path, t: Twin) -> None:
    """Open a twin again."""
    again = twin.open(path)
    assert (again.now_us, len(again.rows())) == (t.now_us, len(t.rows()))
