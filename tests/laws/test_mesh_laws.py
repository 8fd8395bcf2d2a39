"""Laws of the mesh, on random graphs where much goes wrong at once."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agreement.meshes import PROTOCOLS, SECOND_US, Run, Sending, plan, run
from twin.events import Answer, MeshKind
from twin.mesh.plan import MeshPlan
from twin.mesh.topology import expected_reach, receptions

UNTIL_US = 20 * SECOND_US
RESENDS, ATTEMPTS = 3, 8
PROTOCOL = st.fixed_dictionaries(
    {},
    optional={
        "carrier_sense": st.just(1),
        "collision_detect": st.just(1),
        "jitter": st.just(0),
        "forward_jitter_us": st.sampled_from([320, 3200, 100_000]),
        "capture_ratio": st.sampled_from([1.0, 2.0, 1e12]),
        "capture_window_us": st.sampled_from([0, 128, 4000]),
    },
)
MESSAGES = st.lists(
    st.builds(
        Sending,
        now_us=st.integers(0, 10).map(lambda n: n * 10_000),
        source=st.integers(0, 9),
        ttl=st.integers(1, 8),
        groups=st.sampled_from([1, 2, 3, 4]),
        to=st.lists(st.integers(0, 9), max_size=3, unique=True).map(tuple),
        reply_bytes=st.sampled_from([0, 0, 5]),
        target=st.integers(-10, 9).map(lambda n: max(n, -1)),
        answer=st.sampled_from([*Answer]),
        awaited=st.just(0),
        unless=st.just(0),
        window_us=st.sampled_from([0, SECOND_US]),
    ).filter(lambda sending: sending.target != sending.source),
    min_size=1,
    max_size=6,
)
MESHES = st.builds(
    lambda seed, share, protocol, memory: plan(
        nx.fast_gnp_random_graph(10, share, seed=seed % 2**32), seed, protocol,
        interference=0.3, memory=memory,
    ),
    st.integers(0, 2**63 - 1),
    st.sampled_from([0.1, 0.3, 0.6, 1.0]),
    PROTOCOL,
    st.sampled_from([(6, 64), (1, 64), (2, 64)]),
)  # fmt: skip


def ran(mesh: MeshPlan, messages: list[Sending]) -> Run:
    return run("compiled", mesh, messages, UNTIL_US)


def links(mesh: MeshPlan) -> dict[tuple[int, int], bool]:
    """Return for each pair with a link whether the one understands the other."""
    starts = np.repeat(np.arange(mesh.nodes), np.diff(mesh.first_link)).tolist()
    ends, hears = mesh.links["end"].tolist(), mesh.links["hears"].tolist()
    return {(a, b): bool(h) for a, b, h in zip(starts, ends, hears, strict=True)}


@settings(max_examples=60, deadline=None)
@given(MESHES, MESSAGES)
def test_nothing_is_heard_that_was_not_sent(mesh: MeshPlan, messages: list[Sending]) -> None:
    found, known = ran(mesh, messages), links(mesh)
    sent = {
        (int(r["time_us"] + r["air_us"]), int(r["message"]), int(r["node"]), int(r["ttl"]))
        for r in found.rows[found.rows["kind"] == MeshKind.SENT]
    }
    for row in found.rows[found.rows["kind"] == MeshKind.HEARD]:
        frame = tuple(int(row[name]) for name in ("time_us", "message", "peer", "ttl"))
        assert frame in sent
        assert known[int(row["peer"]), int(row["node"])]
        message = found.messages[row["message"]]
        if message["target"] < 0:
            assert row["hops"] == message["ttl"] - row["ttl"] + 1
        assert row["node"] != message["source"]


@settings(max_examples=60, deadline=None)
@given(MESHES, MESSAGES)
def test_nobody_hears_twice_or_sends_on_what_it_has_not(
    mesh: MeshPlan, messages: list[Sending]
) -> None:
    found = ran(mesh, messages)
    has = {
        (int(m), int(s)): int(at)
        for m, (s, at) in enumerate(found.messages[["source", "made_us"]].tolist())
    }
    times = Counter[tuple[int, int]]()
    for row in found.rows:
        pair = int(row["message"]), int(row["node"])
        if row["kind"] == MeshKind.HEARD:
            assert pair not in has
            has[pair] = int(row["time_us"])
        elif row["kind"] == MeshKind.SENT:
            assert has[pair] <= row["time_us"]
            times[pair] += 1
    for (message, _), count in times.items():
        is_flooded = found.messages[message]["target"] < 0
        assert count <= (1 + RESENDS if is_flooded else ATTEMPTS)


@settings(max_examples=60, deadline=None)
@given(MESHES, MESSAGES)
def test_a_unicast_goes_from_hop_to_hop_to_its_target(
    mesh: MeshPlan, messages: list[Sending]
) -> None:
    """Only the next hop takes it, acknowledges it each time, and nobody but its target heeds it."""
    found = ran(mesh, messages)
    is_unicast = found.messages["target"][found.rows["message"]] >= 0
    rows, turnaround_us = found.rows[is_unicast], int(mesh.mac[0]["turnaround_us"])
    sent = {
        (int(r["time_us"] + r["air_us"]), int(r["message"]), int(r["node"]), int(r["peer"]))
        for r in rows[rows["kind"] == MeshKind.SENT]
    }
    for row in rows[rows["kind"] == MeshKind.HEARD]:
        assert tuple(int(row[name]) for name in ("time_us", "message", "peer", "node")) in sent
        is_mine = row["node"] == found.messages[row["message"]]["target"]
        assert (row["processed"], row["forwards"]) == (is_mine, not is_mine)
    acks = rows[rows["kind"] == MeshKind.ACKED]
    for row in acks:
        when_us, m, me, you = (int(row[name]) for name in ("time_us", "message", "node", "peer"))
        assert (when_us - turnaround_us, m, you, me) in sent
    hops = found.use["heard"].sum() + found.use["duplicates"].sum()
    assert found.use["acks_heard"].sum() <= len(acks) <= hops
    assert found.messages["processed"][found.messages["target"] >= 0].max(initial=0) <= 1


@settings(max_examples=60, deadline=None)
@given(MESHES, MESSAGES)
def test_every_frame_has_an_end_at_every_receiver(mesh: MeshPlan, messages: list[Sending]) -> None:
    found = ran(mesh, messages)
    frames = found.use["sent"] + found.use["acks"]
    attempts = int((frames * np.diff(mesh.first_link)).sum())
    ends = sum(
        int(found.use[name].sum())
        for name in (
            "heard", "foreign", "duplicates", "lost_link", "lost_collision", "lost_sending",
            "acks_heard", "overheard",
        )
    )  # fmt: skip
    assert ends == attempts
    kinds = Counter(found.rows["kind"].tolist())
    for kind, name in (
        (MeshKind.SENT, "sent"), (MeshKind.HEARD, "heard"), (MeshKind.DROPPED, "dropped"),
    ):  # fmt: skip
        assert kinds[kind] == found.use[name].sum() == found.messages[name].sum()
    is_on_air = np.isin(found.rows["kind"], (MeshKind.SENT, MeshKind.ACKED))
    assert found.use["air_us"].sum() == found.rows["air_us"][is_on_air].sum()


@settings(max_examples=40, deadline=None)
@given(MESHES, MESSAGES, st.lists(st.integers(0, UNTIL_US), max_size=5))
def test_any_slicing_gives_the_same_rows(
    mesh: MeshPlan, messages: list[Sending], cuts: list[int]
) -> None:
    sliced = run("compiled", mesh, messages, UNTIL_US, tuple(cuts))
    assert ran(mesh, messages).rows.tobytes() == sliced.rows.tobytes()


@settings(max_examples=40, deadline=None)
@given(MESHES, MESSAGES)
def test_both_engines_agree(mesh: MeshPlan, messages: list[Sending]) -> None:
    other = run("reference", mesh, messages, UNTIL_US)
    assert ran(mesh, messages).rows.tobytes() == other.rows.tobytes()


@settings(max_examples=60, deadline=None)
@given(MESHES, st.integers(1, 6))
def test_more_loss_never_reaches_more(mesh: MeshPlan, ttl: int) -> None:
    worse = mesh._replace(links=mesh.links.copy())
    worse.links["reception"] = receptions(mesh) / 2
    assert (expected_reach(worse, 0, ttl, runs=20) <= expected_reach(mesh, 0, ttl, runs=20)).all()


@pytest.mark.parametrize("protocol", ["as shipped", "carrier sense"])
def test_the_laws_are_shown_on_runs_in_which_much_is_lost(protocol: str) -> None:
    mesh = plan(nx.complete_graph(10), 1, PROTOCOLS[protocol])
    found = ran(mesh, [Sending(0, n) for n in range(10)])
    for name in ("heard", "duplicates", "lost_collision"):
        assert found.use[name].sum() > 10, name
