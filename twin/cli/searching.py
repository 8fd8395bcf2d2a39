"""The command that looks for a design where there are too many to try."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from twin.cli.asking import (
    CacheOption,
    DaskOption,
    DecidingOption,
    DeltaOption,
    Files,
    LargestOption,
    LimitOption,
    OutOption,
    ProbabilityOption,
    ReportOption,
    UntilOption,
    VaryOption,
    WarmUpOption,
    WorkersOption,
    how_of,
    levels_of,
    one_question,
)
from twin.cli.base import ScenarioArgument, SeedOption, app, guarded
from twin.errors import RunError

__all__ = ["search"]


@app.command(
    epilog="Example:  twin search reference_site --vary fleet.gateways.phones.count=4..24 "
    "--cost fleet.gateways.phones.count=400 --at-most 130 --until '8 h'"
)
@guarded
def search(
    scenario: ScenarioArgument,
    vary: VaryOption,
    kpi: DecidingOption = "beep_p95_ms",
    at_most: LimitOption = None,
    probability: ProbabilityOption = None,
    cost: Annotated[
        list[str],
        typer.Option("--cost", metavar="KEY=PRICE", show_default=False,
                     help="Of the cheapest: what one more of a key costs; again for more keys."),
    ] = [],  # noqa: B006 - typer copies it
    delta: DeltaOption = None,
    largest: LargestOption = False,
    trials: Annotated[int, typer.Option(min=8, metavar="N", help="How many designs to try.")] = 64,
    until: UntilOption = None,
    warm_up: WarmUpOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    cache: CacheOption = True,
    out: OutOption = None,
    report: ReportOption = None,
) -> None:  # fmt: skip
    """Look for the cheapest design that keeps a limit, or the best one, among too many to try.

    Needs the extra "experiments". The best of those that were tried are decided on by new runs.
    """
    from twin import experiments
    from twin.scenario import load

    one_question(at_most, probability, delta, largest=largest)
    files, given, space = Files(out, report), load(scenario), levels_of(vary)
    prices = _prices(cost, space)
    if (at_most is None) == bool(prices):
        raise RunError(
            "prices are for the cheapest design, and that needs them",
            hint="--at-most with --cost KEY=PRICE, or --delta without",
        )
    how = how_of(None, until, warm_up, seed, workers, dask, cache)
    how.pop("kpis")
    if at_most is not None:
        promise = experiments.Promise(kpi, at_most, probability or 0.95)
        found = experiments.search_cheapest(
            given, space, promise, partial(_cost, prices), trials=trials, **how
        )
    else:
        assert delta is not None
        found = experiments.search(
            given, space, kpi, delta, trials=trials, smaller_is_better=not largest, **how
        )
    files.tell(found, given)


def _prices(costs: list[str], levels: Mapping[str, Any]) -> dict[str, float]:
    """Read what one of each key costs.

    Parameters
    ----------
    costs
        Texts like "fleet.gateways.phones.count=400".
    levels
        The keys that are varied.

    Raises
    ------
    RunError
        A price is none, or is of a key that is not varied.
    """
    found = {}
    for text in costs:
        key, _, price = text.partition("=")
        try:
            found[key.strip()] = float(price)
        except ValueError:
            raise RunError(f"{text!r} is no price", hint="write KEY=PRICE, of one more") from None
        if key.strip() not in levels:
            hint = f"varied are {', '.join(levels)}"
            raise RunError(f"{key.strip()} has a price, but is not varied", hint=hint)
    return found


def _cost(prices: Mapping[str, float], values: Mapping[str, Any]) -> float:
    """Return what a design costs: each key's value times its price.

    Raises
    ------
    RunError
        A key with a price has a value that is no number.
    """
    for key in prices:
        if not isinstance(values[key], (int, float)):
            raise RunError(
                f"{key} has a price, but {values[key]!r} is no number",
                hint="prices are of keys that count something",
            )
    return sum(price * float(values[key]) for key, price in prices.items())
