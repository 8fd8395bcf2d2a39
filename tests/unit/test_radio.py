"""The radio's formulas against values that others have published."""

import numpy as np
import pytest

import twin
from twin import radio

CARRIER_HZ = 2.45e9


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("psdu_bytes", "snr_db"),
    [
        (20, (-1.86, -0.69, 0.40)),
        (50, (-1.25, -0.23, 0.76)),
        (100, (-0.84, 0.09, 1.01)),
        (127, (-0.71, 0.19, 1.09)),
    ],
)
def test_a_frame_is_lost_as_often_as_the_standard_says(
    psdu_bytes: int, snr_db: tuple[float, ...]
) -> None:
    # The slope is about one decade a decibel: two decimals of it are two per cent of the loss.
    lost = 1.0 - radio.packet_success(snr_db, psdu_bytes)
    assert lost == pytest.approx([0.5, 0.1, 0.01], rel=0.03)


def test_a_bit_of_pure_noise_is_wrong_every_other_time() -> None:
    assert radio.oqpsk_ber(-100.0) == pytest.approx(0.5, abs=1e-6)
    assert radio.oqpsk_ber(30.0) == 0.0


def test_more_signal_is_never_worse() -> None:
    snr_db = np.linspace(-20.0, 10.0, 3001)
    assert (np.diff(radio.oqpsk_ber(snr_db)) <= 0.0).all()
    assert (np.diff(radio.packet_success(snr_db, 100)) >= 0.0).all()


def test_the_standards_sensitivity_is_far_above_the_ideal_receivers() -> None:
    # IEEE 802.15.4-2006, 6.5.3.3: 1 % of frames of 20 bytes at -85 dBm; the formula needs 0.4 dB.
    floor_dbm = radio.noise_floor_dbm(2e6, 0.0)
    assert 1.0 - radio.packet_success(-85.0 - floor_dbm, 20) < 1e-9


def test_shapes_are_kept_and_broadcast() -> None:
    assert radio.oqpsk_ber(0.0).shape == ()
    assert radio.packet_success(np.zeros((3, 1)), np.array([20, 50])).shape == (3, 2)


# --- time on the air ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("psdu_bytes", "expected_us"), [(0, 192), (20, 832), (50, 1792), (100, 3392), (127, 4256)]
)
def test_airtime_to_the_microsecond(psdu_bytes: int, expected_us: int) -> None:
    assert radio.airtime_us(psdu_bytes) == expected_us


@pytest.mark.parametrize("psdu_bytes", [-1, 128])
def test_a_frame_that_cannot_be_is_refused(psdu_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"0 to 127 bytes, not {psdu_bytes}"):
        radio.airtime_us(psdu_bytes)


# --- levels -------------------------------------------------------------------------------------


def test_the_noise_floor_is_that_of_ns_3() -> None:
    # ns-3 lr-wpan: -106.987 dBm, which is k T B for 5 MHz at 290 K without a noise figure.
    assert radio.noise_floor_dbm(5e6, 0.0) == pytest.approx(-106.987, abs=0.005)
    assert radio.noise_floor_dbm(2e6, 6.0) == pytest.approx(-104.96, abs=0.01)


def test_two_equal_powers_are_three_decibels_more() -> None:
    assert radio.power_sum_dbm([-80.0, -80.0]) == pytest.approx(-76.99, abs=0.001)
    assert radio.power_sum_dbm([-80.0, -np.inf]) == pytest.approx(-80.0)
    assert radio.power_sum_dbm([-np.inf, -np.inf]) == -np.inf


def test_interference_counts_as_noise() -> None:
    quiet = radio.snr_with_interference_db(-90.0, -100.0, -np.inf)
    assert quiet == pytest.approx(10.0)
    assert radio.snr_with_interference_db(-90.0, -100.0, -100.0) == pytest.approx(6.99, abs=0.001)
    assert radio.snr_with_interference_db([-90.0, -80.0], -100.0, -np.inf).shape == (2,)


def test_total_power_decides_on_capture_not_the_count() -> None:
    assert radio.captures(-80.0, [-84.0, -np.inf], 3.0)
    assert not radio.captures(-80.0, [-84.0, -84.0], 3.0)  # together -81 dBm
    assert radio.captures(-80.0, [-86.5, -86.5, -np.inf], 3.0)


# --- path loss ----------------------------------------------------------------------------------


def test_free_space_at_one_metre_is_forty_decibels() -> None:
    assert radio.free_space_loss_db(1.0, CARRIER_HZ) == pytest.approx(40.2, abs=0.05)
    assert radio.free_space_loss_db([10.0, 100.0], CARRIER_HZ) == pytest.approx(
        [60.2, 80.2], abs=0.05
    )


def test_the_standards_law_has_no_step_at_its_break() -> None:
    # 40.2 + 20 log10(8) = 58.26: the standard rounds it to 58.5.
    assert radio.standard_path_loss_db(8.0) == pytest.approx(58.26, abs=0.01)
    assert radio.standard_path_loss_db(8.0001) == pytest.approx(58.5, abs=0.01)
    assert radio.standard_path_loss_db([1.0, 80.0]) == pytest.approx([40.2, 91.5])


def test_factory_halls_as_measured() -> None:
    # Tanghe et al., IEEE Trans. Wireless Comm. 7 (7), 2008: 71.84 dB at 15 m, exponent 2.16.
    loss_db = radio.path_loss_db([15.0, 150.0], exponent=2.16, reference_db=71.84, reference_m=15.0)
    assert loss_db == pytest.approx([71.84, 93.44])


def test_nearer_than_the_reference_is_the_reference() -> None:
    near = radio.path_loss_db([0.0, 0.5, 1.0], exponent=3.0, reference_db=40.0)
    assert near == pytest.approx([40.0, 40.0, 40.0])


def test_a_negative_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1 m"):
        radio.path_loss_db([1.0, -1.0], exponent=2.0, reference_db=40.0)


def test_walls_take_what_they_take() -> None:
    walls = [[0, 0], [2, 0], [1, 3]]
    found = radio.multi_wall_loss_db([60.0, 60.0, 60.0], walls, [3.4, 6.9])
    assert found == pytest.approx([60.0, 66.8, 84.1])


def test_the_formulas_are_there_with_the_package() -> None:
    assert twin.radio.airtime_us(20) == 832
