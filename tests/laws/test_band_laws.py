"""Laws of the shared band: more on the air never costs the others less."""

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.band import run, site, upgrade
from twin.floor.rules.link import disturbed_loss
from twin.mesh.rules.radio import disturbed_reception
from twin.scenario import Coexistence, Wifi
from twin.world.band import hops, taken, wifi_load, wifi_on_mesh

SHARES = some.floats(0.0, 0.99)


def band(duty: float, channel: int) -> Coexistence:
    found = site({}).coexistence
    assert found is not None
    return found.model_copy(update={"wifi": (Wifi(channel=channel, duty=f"{100 * duty} %"),)})


@given(SHARES, SHARES, SHARES)
def test_more_that_others_take_never_lowers_the_loss_of_ble(
    loss: float, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    assert loss <= disturbed_loss(loss, less) <= disturbed_loss(loss, more) <= 1.0


@given(SHARES, some.floats(-100.0, -30.0), some.floats(0.0, 1.0), some.floats(0.0, 1.0))
def test_more_that_others_take_never_raises_reception(
    chance: float, level: float, one: float, other: float
) -> None:
    less, more = sorted((one, other))
    found = [disturbed_reception(chance, level, share) for share in (0.0, less, more)]
    assert chance == found[0] >= found[1] >= found[2] >= 0.0


@given(some.floats(0.0, 50.0), some.floats(0.0, 50.0))
def test_more_load_never_takes_less(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0.0 <= taken(less) <= taken(more) <= 1.0


@settings(deadline=None)
@given(SHARES, SHARES, some.integers(1, 13), some.integers(0, 15))
def test_more_wifi_never_takes_less(one: float, other: float, channel: int, mesh: int) -> None:
    less, more = (band(duty, channel) for duty in sorted((one, other)))
    assert wifi_on_mesh(less, mesh) <= wifi_on_mesh(more, mesh)
    loads = [
        sum(hop.channels * taken(wifi_load(it, hop.wifi_duty, 1000)) for hop in hops(it, [mesh]))
        for it in (less, more)
    ]
    assert loads[0] <= loads[1]
    assert sum(hop.channels for hop in hops(less, [mesh])) == 37


def test_a_mesh_that_sends_more_takes_more() -> None:
    found = []
    for every in ("1 s", "300 ms", "100 ms", "50 ms"):
        scenario = site({}, run__horizon="25 min", mesh__multicasts=upgrade(every))
        row = run(scenario).kpis().iloc[0]
        found.append((float(row["ble_taken_mean"]), float(row["mesh_duty_max"])))
    assert found == sorted(found)
    assert found[0][0] > 0.0


def test_who_is_near_more_takes_more() -> None:
    found = []
    for near in ("0 dBm", "-70 dBm", "-80 dBm", "-100 dBm"):
        scenario = site({"near": near}, run__horizon="22 min")
        found.append(float(run(scenario).kpis()["ble_taken_mean"].iloc[0]))
    assert found == sorted(found)
    assert found[0] == 0.0 < found[1]
