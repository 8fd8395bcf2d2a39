"""Quantities read exactly, written so that they read back, refused without a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import units
from twin.errors import UnitError

LONGEST_US = 400 * 86_400_000_000


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("12 ms", 12_000),
        ("12ms", 12_000),
        ("0.1 s", 100_000),
        ("18.174145 s", 18_174_145),
        ("8 h", 28_800_000_000),
        ("1 h 30 min", 5_400_000_000),
        ("400 d", LONGEST_US),
        ("1e3 us", 1_000),
        ("-5 ms", -5_000),
    ],
)
def test_durations_are_exact_microseconds(text: str, us: int) -> None:
    assert units.parse_duration(text) == us
    assert isinstance(units.parse_duration(text), int)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0 s"),
        (7, "7 us"),
        (7_500, "7.5 ms"),
        (1_200_000, "1.2 s"),
        (5_400_000_000, "1 h 30 min"),
        (86_400_000_000, "24 h"),
        (30 * 86_400_000_000, "30 d"),
        (-2_500_000, "-2.5 s"),
    ],
)
def test_durations_are_written_for_people(us: int, text: str) -> None:
    assert units.format_duration(us) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (12, "without a unit"),
        (0.5, "without a unit"),
        ("12", "without a unit"),
        (True, "bool"),
        (None, "NoneType"),
        ("", "not a quantity"),
        ("ms", "not a quantity"),
        ("12 ms or so", "not a quantity"),
        ("12 m", "unit 'm' is not known"),
        ("12 MS", "unit 'MS' is not known"),
        ("0.5 us", "whole number of microseconds"),
        ("30 min 1 h", "fall from large to small"),
        ("1 h 1 h", "fall from large to small"),
        ("1 h -30 min", "sign needs a single unit"),
        ("nan s", "not a quantity"),
        ("inf s", "not a quantity"),
        ("1e400 s", "too large"),
        ("10000000000000000000000000000000000000.0000001 s", "too large"),
    ],
)
def test_what_is_not_a_duration_is_refused(value: object, reason: str) -> None:
    with pytest.raises(UnitError, match=reason):
        units.parse_duration(value)


def test_a_refusal_names_value_units_and_an_example() -> None:
    with pytest.raises(UnitError) as caught:
        units.parse_duration(12)
    assert caught.value.value == 12
    assert caught.value.units == ("us", "ms", "s", "min", "h", "d")
    assert "12" in str(caught.value)
    assert '"1 h 30 min"' in str(caught.value)


def test_other_kinds_convert_to_their_base() -> None:
    assert units.parse_length("1.5 m") == 1.5
    assert units.parse_length("80 cm") == 0.8
    assert units.parse_length("5 mm") == 0.005
    assert units.parse_power("-92 dBm") == -92.0
    assert units.parse_temperature("21 degC") == 21.0
    assert units.parse_temperature("-20 °C") == -20.0
    assert units.parse_ratio("3 %") == 0.03
    assert units.parse_rate("4 %/h") == 40_000
    assert units.parse_rate("25 ppm/h") == 25


def test_a_rate_is_a_whole_number_of_ppm() -> None:
    with pytest.raises(UnitError, match="whole number of ppm/h"):
        units.parse_rate("0.00001 %/h")


@pytest.mark.parametrize(
    "kind", [units.LENGTH, units.POWER, units.TEMPERATURE, units.RATIO, units.RATE]
)
def test_one_number_with_one_unit(kind: units.Kind) -> None:
    unit = next(iter(kind.units))
    with pytest.raises(UnitError, match="one number with one unit"):
        kind.parse(f"1 {unit} 2 {unit}")
    with pytest.raises(UnitError, match="without a unit"):
        kind.parse(1)


def test_minus_zero_is_zero() -> None:
    assert units.format_length(units.parse_length("-0 m")) == "0 m"


@given(st.integers(-LONGEST_US, LONGEST_US))
def test_every_duration_survives_writing_and_reading(us: int) -> None:
    assert units.parse_duration(units.format_duration(us)) == us


@given(st.integers(0, 10**9))
def test_every_rate_survives_writing_and_reading(ppm: int) -> None:
    assert units.parse_rate(units.format_rate(ppm)) == ppm


@pytest.mark.parametrize("kind", [units.LENGTH, units.POWER, units.TEMPERATURE, units.RATIO])
@given(number=st.floats(-1e9, 1e9, allow_nan=False))
def test_every_float_survives_writing_and_reading(kind: units.Kind, number: float) -> None:
    assert kind.parse(kind.format(number)) == number


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_never_worse(text: str) -> None:
    try:
        assert isinstance(units.parse_duration(text), int)
    except UnitError as error:
        assert error.value == text
