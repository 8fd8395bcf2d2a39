"""A fork runs on as its original would have, and neither knows what is done to the other."""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import strategies as st

import twin
from tests.laws.floors import ROUGH, Rough, law, roughs
from tests.scenarios import scenario
from twin.commands import InstallGateway
from twin.errors import RunError
from twin.scenario import Scenario
from twin.twin import Twin

MESH = {
    "mesh.channel": 0,
    "mesh.nodes": [{"name": "lamp", "zone": "line", "count": 12, "placement": "grid"}],
    "mesh.bridges": [{"name": "bridge", "x": "15 m", "y": "10 m"}],
    "mesh.collectors": [
        {"name": "meters", "every": "20 s", "after": "5 s"},
        {"name": "all", "every": "31 s", "after": "9 s", "transport": "multicast"},
    ],
    "mesh.multicasts": [{"name": "beat", "source": "bridge", "after": "7 s", "every": "3 s"}],
}

ASKED: dict[str, Callable[[Twin], object]] = {
    "nothing": lambda _: None,
    "survey A": lambda t: t.survey("A"),
    "survey B": lambda t: t.survey("B"),
    "survey C": lambda t: t.survey("C"),
    "upgrade by multicast": lambda t: t.upgrade(t.make_image("a", 900), transport="multicast"),
    "upgrade by unicast": lambda t: t.upgrade(
        t.make_image("b", 300), devices=["lamp"], transport="unicast"
    ),
    "change of network": lambda t: t.change_network(channel=(t.now_us // 1_000_000) % 16),
    "multicast": lambda t: t.multicast(reply_bytes=5),
    "cut of power": lambda t: t.cut_power(["lamp"], "20 s"),
    "phone": lambda t: t.submit(InstallGateway(f"id-{t.now_us}", f"{t.now_us}", "s", "u")),
}
"""What users ask; where the site refuses it, nothing comes of it in either twin."""


class Past(NamedTuple):
    """How a twin came to the moment at which it is forked, and where it goes from there [s]."""

    rough: Rough
    mesh: bool
    band: bool
    record: str
    before: tuple[tuple[int, str], ...]
    after: tuple[tuple[int, str], ...]

    def scenario(self) -> Scenario:
        """Return what is simulated."""
        changes = self.rough.floor.changes() | self.rough.changes() | (MESH if self.mesh else {})
        found = scenario(changes)
        return twin.vary(found, "coexistence", {}) if self.mesh and self.band else found


steps = st.lists(
    st.tuples(st.integers(1, 100), st.sampled_from(list(ASKED))), min_size=1, max_size=4
).map(tuple)  # fmt: skip
pasts = st.builds(
    Past,
    rough=roughs,
    mesh=st.booleans(),
    band=st.booleans(),
    record=st.sampled_from(["rows", "rows", "kpis"]),
    before=steps,
    after=steps,
)


def go(t: Twin, way: tuple[tuple[int, str], ...]) -> Twin:
    """Let a twin run on, and be asked something after each part of the way."""
    for seconds, asked in way:
        t.run(f"{seconds} s", progress=False)
        with suppress(RunError):
            ASKED[asked](t)
    return t


def seen(t: Twin) -> dict[str, object]:
    """Return all that can be seen of a twin."""
    found: dict[str, object] = {"now_us": t.now_us, "roster": t.roster, "journal": journal(t)}
    if t.record == "rows":
        found |= {"rows": t.rows().tobytes(), "mesh rows": t.mesh_rows().tobytes()}
    frames = {
        "kpis": t.kpis(), "gateways": t.gateways(), "messages": t.messages(), "nodes": t.nodes(),
        "surveys": t.surveys(), "upgrades": t.upgrades(), "collections": t.collections(),
        "changes": t.network_changes(),
    }  # fmt: skip
    for number in range(len(frames["upgrades"])):
        frames[f"upgraded {number}"] = t.upgraded(number)
    for number in range(len(frames["surveys"])):
        frames[f"survey {number}"] = t.survey_links(number)
    return found | {name: frame.to_csv() for name, frame in frames.items()}


def journal(t: Twin) -> list[object]:
    return [*t.account.journal()]


def same(one: Twin, other: Twin) -> None:
    """Let a difference be named, and not shown in megabytes."""
    left, right = seen(one), seen(other)
    assert [name for name in left if left[name] != right[name]] == []
    assert left.keys() == right.keys()


def opened(past: Past, engine: str = "compiled") -> Twin:
    return twin.open(past.scenario(), engine=engine, record=past.record)  # type: ignore[arg-type]


@law(past=pasts)
def test_a_fork_runs_on_as_its_original_and_leaves_it_as_it_was(past: Past) -> None:
    t = go(opened(past), past.before)
    then = seen(t)
    fork = t.fork()
    same(fork, t)
    middle = len(past.after) // 2
    go(fork, past.after[:middle])
    other = fork.fork()
    go(fork, past.after[middle:])
    assert seen(t) == then
    go(other, past.after[middle:])
    same(other, fork)
    go(t, past.after)
    same(t, fork)


WAY = ((65, "upgrade by multicast"), (20, "phone"), (3, "multicast"))
ROUGH_PAST = Past(ROUGH, mesh=True, band=True, record="rows", before=WAY, after=((30, "nothing"),))


def test_a_fork_of_the_reference_engines_runs_again_to_the_same() -> None:
    t, fast = go(opened(ROUGH_PAST, "reference"), WAY), go(opened(ROUGH_PAST), WAY)
    fork = t.fork()
    same(fork, t)
    go(fork, ROUGH_PAST.after)
    same(fork, go(fast.fork(), ROUGH_PAST.after))


@pytest.mark.parametrize("asked", ASKED)
def test_a_fork_in_the_middle_of_what_was_asked(asked: str) -> None:
    t = opened(ROUGH_PAST).run("61 s", progress=False)
    ASKED[asked](t)  # not refused
    t.run("2 s", progress=False)
    fork = t.fork()
    for part in range(1, 40):
        fork = fork.run(f"{part} s", progress=False).fork()
    same(fork, t.run(f"{sum(range(1, 40))} s", progress=False))
