"""Laws fitted to samples that were drawn from known ones: parameters, the right law, refusals.

Standard errors are those of theory (Fisher's information); a parameter may be 4 of them off.
"""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from twin.analysis.fitting import Fits, fit_laws
from twin.analysis.job_sizes import fit_job_sizes
from twin.analysis.path_loss import Pairs, PathLoss, fit_path_loss
from twin.draws import fold, inner_unit, laws, normal_quantile, root, sample_us
from twin.errors import RunError
from twin.scenario import load, vary

Floats = NDArray[np.float64]
N = 4000
LN18 = math.log(18e6)
LOGNORMAL = laws.law_record([(1.0, laws.LOGNORMAL, LN18, 0.5)])
WEIBULL = laws.law_record([(1.0, laws.WEIBULL, LN18, 1 / 1.6)])
UNIFORM = laws.law_record([(1.0, laws.UNIFORM, 1e6, 2e6)])
NORMAL = laws.law_record([(1.0, laws.NORMAL, 20e6, 3e6)])
PICKS = laws.law_record(
    [(0.888, laws.LOGNORMAL, LN18, 0.5), (0.11, laws.LOGNORMAL, math.log(49e6), 0.7)]
)
THREE = laws.law_record(
    [
        (0.6, laws.LOGNORMAL, math.log(2e6), 0.2),
        (0.3, laws.LOGNORMAL, math.log(18e6), 0.3),
        (0.1, laws.LOGNORMAL, math.log(300e6), 0.2),
    ]
)
STEPS = laws.points_record([0.0, 0.3, 0.5, 0.9, 1.0], [1e6, 2e6, 2e6, 2.1e6, 30e6])


def drawn_us(law: np.void, count: int = N, seed: int = 1) -> Floats:
    state = root(seed)
    return np.array([sample_us(law, fold(state, n), 3) for n in range(count)], float)


def gamma_us(shape: float, scale_us: float, count: int = N) -> Floats:
    """Gamma of whole shape: a sum of exponential times."""
    u = [[inner_unit(fold(fold(root(5), n), k)) for k in range(int(shape))] for n in range(count)]
    return -np.log(np.array(u)).sum(axis=1) * scale_us


def quick(samples_us: Floats) -> Fits:
    return fit_laws(samples_us, bootstrap=0)


def near(found: float, true: float, error: float) -> bool:
    return abs(found - true) < 4 * error


# --- the right law, with the right parameters -----------------------------------------------------


def test_a_lognormal_is_found() -> None:
    fits = fit_laws(drawn_us(LOGNORMAL))
    assert fits.best.name == "lognormal"
    found = fits.best.parameters
    assert near(math.log(found["median_us"]), LN18, 0.5 / math.sqrt(N))
    assert near(found["sigma"], 0.5, 0.5 / math.sqrt(2 * N))
    assert fits.best.ks_p > 0.01
    assert fits["weibull"].ks_p <= 0.01
    assert not fits["weibull"].holds


def test_a_weibull_is_found() -> None:
    fits = fit_laws(drawn_us(WEIBULL))
    assert fits.best.name == "weibull"
    found = fits.best.parameters
    assert near(math.log(found["scale_us"] / 18e6), 0.0, 1.053 / 1.6 / math.sqrt(N))
    assert near(found["shape"], 1.6, 0.78 * 1.6 / math.sqrt(N))


def test_a_gamma_is_found_and_a_scenario_says_it_by_points() -> None:
    samples_us = gamma_us(3, 5e6)
    fits = fit_laws(samples_us)
    assert fits.best.name == "gamma"
    found = fits.best.parameters
    assert near(found["shape"], 3.0, 3.0 * math.sqrt(2 / N))
    assert found["shape"] * found["scale_us"] == pytest.approx(samples_us.mean())
    law = vary(load("pilot_line"), "work.pick_interval", dict(fits.best.law)).work.pick_interval
    assert law.law == "empirical"
    assert law.expected_us == pytest.approx(samples_us.mean(), rel=0.005)


def test_a_uniform_and_a_normal_are_found() -> None:
    even = fit_laws(drawn_us(UNIFORM)).best
    assert even.name == "uniform"
    assert 1e6 <= even.parameters["low_us"] < 1.01e6
    assert 2.99e6 < even.parameters["high_us"] <= 3e6
    bell = fit_laws(drawn_us(NORMAL)).best
    assert bell.name == "normal"
    assert near(bell.parameters["mean_us"], 20e6, 3e6 / math.sqrt(N))
    assert near(bell.parameters["sd_us"], 3e6, 3e6 / math.sqrt(2 * N))


def test_a_mixture_is_found() -> None:
    fits = quick(drawn_us(PICKS, 20_000))
    assert fits.best.name == "mixture of 2 lognormals"
    best, one = fits.best, fits["lognormal"]
    assert best.bic < one.bic - 100
    assert best.ks < 0.01 < one.ks
    assert best.parameters["median_1_us"] == pytest.approx(18e6, rel=0.05)
    assert best.parameters["sigma_1"] == pytest.approx(0.5, abs=0.04)
    # No fit is more likely than the law that was drawn by more than chance: chi-square, 5 free.
    gained = best.log_likelihood - float(np.log(picks_density(fits.samples_us)).sum())
    assert 0 < gained < stats.chi2.ppf(0.999, 5) / 2


def picks_density(x_us: Floats) -> Floats:
    parts = ((0.888, 18e6, 0.5), (0.11, 49e6, 0.7))
    return sum(
        (w / 0.998 * stats.lognorm.pdf(x_us, s=sigma, scale=median) for w, median, sigma in parts),
        np.zeros(len(x_us)),
    )


def test_three_parts_are_found_where_they_are() -> None:
    best = quick(drawn_us(THREE)).best
    assert best.name == "mixture of 3 lognormals"
    shares = [best.parameters[f"weight_{i}"] for i in (1, 2, 3)]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    assert best.parameters["median_3_us"] == pytest.approx(300e6, rel=0.05)


@pytest.mark.parametrize("law", [LOGNORMAL, WEIBULL])
def test_likelihoods_are_those_of_scipy(law: np.void) -> None:
    x_us = drawn_us(law, 500)
    fits = quick(x_us)
    for name, found in (("weibull", stats.weibull_min), ("gamma", stats.gamma),
                        ("lognormal", stats.lognorm)):  # fmt: skip
        parameters = found.fit(x_us, floc=0)
        assert fits[name].log_likelihood == pytest.approx(
            found.logpdf(x_us, *parameters).sum(), abs=0.01
        )
        assert fits[name].ks == pytest.approx(
            stats.kstest(x_us, found.cdf, parameters).statistic, abs=1e-3
        )


def test_what_no_law_fits_is_taken_as_it_is() -> None:
    samples_us = drawn_us(STEPS, 5000)
    fits = fit_laws(samples_us)
    assert fits.best.name == "empirical"
    assert fits.best.ks < 0.01
    law = vary(load("pilot_line"), "work.pick_interval", dict(fits.best.law)).work.pick_interval
    assert law.expected_us == pytest.approx(samples_us.mean(), rel=0.003)
    assert not any(fit.holds for fit in fits.fits if fit.name != "empirical")


def test_densities_and_distributions_are_for_drawing() -> None:
    fits = quick(drawn_us(PICKS, 2000))
    grid_us = np.linspace(0, 600e6, 60_001)
    for fit in fits.fits:
        mass = np.trapezoid(fit.density(grid_us), grid_us)
        assert mass == pytest.approx(1.0, abs=0.02)
        reached = fit.cdf(grid_us)
        assert (np.diff(reached) >= -1e-12).all()
        assert reached[0] == pytest.approx(0.0, abs=1e-6)
        assert float(fit.cdf(fits.samples_us.max() * 10)) == pytest.approx(1.0, abs=1e-3)
    assert list(fits.table["name"]) == [fit.name for fit in fits.fits]


def test_the_p_value_is_right_for_fitted_parameters() -> None:
    # Of samples of the law itself about as many are below a p as p says. With tabled p-values,
    # which do not know of the fit, hardly any would be.
    tried = [drawn_us(LOGNORMAL, 40, seed) for seed in range(30)]
    found = [fit_laws(x, seed=n)["lognormal"].ks_p for n, x in enumerate(tried)]
    assert 3 <= sum(p < 0.25 for p in found) <= 15
    logs = [np.log(x) for x in tried]
    tabled = [stats.kstest(y, stats.norm(y.mean(), y.std()).cdf).pvalue for y in logs]
    assert sum(p < 0.25 for p in tabled) < 3


# --- what is odd ----------------------------------------------------------------------------------


def test_samples_that_are_all_the_same_are_a_constant() -> None:
    best = fit_laws([5_000_000] * 30).best
    assert best.law == {"law": "constant", "value": "5 s"}


def test_heavy_ties_are_no_reason_to_stumble() -> None:
    samples_us = np.round(drawn_us(LOGNORMAL, 1000) / 10e6) * 10e6 + 1e6
    fits = fit_laws(samples_us)
    assert fits.best.name == "empirical"
    assert all(math.isfinite(fit.ks) for fit in fits.fits)


def test_zeros_leave_out_laws_of_logarithms_and_say_so() -> None:
    fits = quick(np.append(drawn_us(LOGNORMAL, 100), [0.0, 0.0]))
    assert fits.left_out["lognormal"] == "2 samples are 0 s"
    with pytest.raises(RunError, match="2 samples are 0 s"):
        _ = fits["lognormal"]
    with pytest.raises(RunError, match="no such family"):
        _ = fits["cauchy"]


@pytest.mark.parametrize(
    ("samples_us", "said"),
    [
        ([1e6] * 19, "19 samples are too few"),
        ([], "0 samples are too few"),
        ([*[1e6] * 30, -1.0], "sample 30 is -1 us"),
        ([1e6, float("nan"), *[1e6] * 30], "sample 1 is nan us"),
        ([float("inf")] * 30, "30 of 30 samples"),
    ],
)
def test_what_is_no_sample_of_durations_is_refused(samples_us: Sequence[float], said: str) -> None:
    with pytest.raises(RunError, match=said) as caught:
        fit_laws(samples_us)
    assert caught.value.hint


# --- sizes of jobs --------------------------------------------------------------------------------


def sizes(count: int, median: float, sigma: float) -> NDArray[np.int64]:
    z = np.array([normal_quantile(inner_unit(fold(root(3), n))) for n in range(count)])
    return np.clip(np.floor(np.exp(math.log(median) + sigma * z) + 0.5), 1, 150).astype(int)


def test_job_sizes_are_found_though_large_jobs_are_cut_off() -> None:
    jobs = sizes(3000, 12.0, 1.2)
    cut = np.array([1 + int(60 * inner_unit(fold(root(4), n))) for n in range(3000)])
    whole, begun = jobs[jobs <= cut], cut[jobs > cut]
    found = fit_job_sizes(whole, begun)
    assert near(math.log(found.median / 12), 0.0, 1.2 / math.sqrt(2000))
    assert near(found.sigma, 1.2, 1.2 / math.sqrt(2 * 1500))
    assert found.ks < 0.03
    # Who leaves out what was cut off finds jobs far too small.
    assert fit_job_sizes(whole).median < 9
    assert (found.least, found.most) == (1, 150)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([5] * 19, "19 jobs are too few"),
        ([0, *[5] * 30], "from 1"),
        ([99_999] * 30, "99,999 lines"),
    ],
)
def test_what_counts_no_jobs_is_refused(lines: Sequence[int], said: str) -> None:
    with pytest.raises(RunError, match=said):
        fit_job_sizes(lines)


# --- levels by distance ---------------------------------------------------------------------------


def measured(missed: float = 0.0) -> Pairs:
    """Levels of 1,500 pairs by a known law, as meters show them."""
    count = 3000
    u = np.array([[inner_unit(fold(fold(root(8), n), k)) for k in range(5)] for n in range(count)])
    distance_m = np.repeat(3 + 57 * u[::2, 0], 2)
    z = np.array([[normal_quantile(v) for v in row] for row in u[:, 1:4]])
    shadow_db = 6.0 * np.repeat(z[::2, 0], 2) + 1.0 * z[:, 1]
    level_dbm = 3.5 - 40.0 - 34.0 * np.log10(distance_m) + shadow_db
    shown_dbm = np.maximum(-90.0, np.round(level_dbm + 2.0 * z[:, 2]))
    heard = (level_dbm > -93.0) & (u[:, 4] >= missed)
    return Pairs(
        distance_m,
        np.where(heard, shown_dbm, np.nan),
        np.full(count, 3.5),
        -90.0,
        -93.0,
        2.0,
        np.arange(count) // 2,
    )


def right(found: PathLoss) -> bool:
    return (
        near(found.exponent, 3.4, found.exponent_se)
        and near(found.reference_loss_db, 40.0, found.reference_loss_se)
        and near(found.spread_db, math.hypot(6.0, 1.0), found.spread_se)
    )


def test_the_radios_law_is_found_though_weak_links_are_not_heard() -> None:
    pairs = measured()
    found = fit_path_loss(pairs)
    assert right(found)
    assert found.silent > 500
    assert found.missed < 0.02
    assert found.ks < 0.05
    assert 0.03 < found.exponent_se < 0.3
    # Who leaves out the silent pairs finds a smaller exponent and spread.
    heard = np.isfinite(pairs.level_dbm)
    loss_db = 3.5 - pairs.level_dbm[heard]
    slope, start = np.polyfit(10 * np.log10(pairs.distance_m[heard]), loss_db, 1)
    left = loss_db - start - slope * 10 * np.log10(pairs.distance_m[heard])
    assert slope < 3.4 - 8 * found.exponent_se
    assert left.std() < math.hypot(6.0, 1.0) - 5 * found.spread_se


def test_links_whose_report_was_lost_are_told_from_weak_ones() -> None:
    found = fit_path_loss(measured(missed=0.2))
    assert right(found)
    assert 0.16 < found.missed < 0.24


def test_too_few_links_tell_no_law() -> None:
    pairs = measured()
    few = Pairs(pairs.distance_m[:15], pairs.level_dbm[:15], pairs.power_dbm[:15], -90, -93, 2,
                pairs.pair[:15])  # fmt: skip
    with pytest.raises(RunError, match="too few for a law"):
        fit_path_loss(few)
    same = Pairs(np.full(60, 10.0), np.full(60, -70.0), np.full(60, 3.5), -90, -93, 2,
                 np.arange(60))  # fmt: skip
    with pytest.raises(RunError, match="one distance"):
        fit_path_loss(same)
