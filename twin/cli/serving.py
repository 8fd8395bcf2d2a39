"""Commands on the APIs: serve them, and show that they are what their documents say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.base import FOUND_PROBLEMS, ScenarioArgument, SeedOption, app, guarded, table
from twin.errors import TwinError

if TYPE_CHECKING:
    from twin.api.cases import Reached

__all__ = ["routes", "serve"]


# --- serve -------------------------------------------------------------------


_FREE = "0 for a free one."


@app.command(epilog="Example:  twin serve reference_site --speed 60 --state site.sqlite")
@guarded
def serve(
    scenario: ScenarioArgument,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    insight_port: Annotated[
        int, typer.Option(min=0, max=65535, help=f"Of the Insight API; {_FREE}")
    ] = 8080,
    snap_port: Annotated[
        int, typer.Option(min=0, max=65535, help=f"Of SNAP Thing Services; {_FREE}")
    ] = 3000,
    speed: Annotated[
        str,
        typer.Option(metavar="N|max|0", help="Simulated seconds in a second; max; 0 stands still."),
    ] = "1",
    seed: SeedOption = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Goes on from this file, and keeps all there."),
    ] = None,
) -> None:
    """Answer the APIs over HTTP, until Ctrl-C.

    Says where as soon as requests are answered; /docs shows the operations. Sockets are at /ws
    (SockJS) and /ws/websocket of SNAP Thing Services. Logins to Insight hold for an hour and
    provisioning for 15 minutes of simulated time: at a high speed that is soon over.
    """
    try:
        from twin.api import serve as serving
    except ModuleNotFoundError as error:
        how = "pip install -e '.[serve]' -c constraints.txt"
        raise TwinError(f"serving needs {error.name}, which is not installed: {how}") from error
    from twin.opening import open as open_twin

    shown = f"[{host}]" if ":" in host else host
    serving.serve(
        lambda: open_twin(scenario, seed=seed, state=state),
        host,
        serving.Ports(insight_port, snap_port),
        serving.speed_of(speed),
        ready=lambda ports: typer.echo(
            f"ready: Insight at http://{shown}:{ports.insight}, SNAP at http://{shown}:{ports.snap}"
        ),
        stopped=lambda served: typer.echo(f"saved {served.save()}") if served.state else None,
    )


@app.command(epilog="Example:  twin routes")
@guarded
def routes(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="On whose twin they are tried.")
    ] = "reference_site",
) -> None:
    """Try every documented status of both APIs.

    Prints how each was reached. The status is 0 when all were, else 1.
    """
    from twin.opening import open as open_twin

    opened = open_twin(scenario)
    apis = {
        "Insight": (opened.insight_coverage, ", login and downloads included"),
        "SNAP Thing Services": (opened.snap_coverage, ", sockets included"),
    }
    every = [_shown(title, *api) for title, api in apis.items()]
    if not all(every):
        raise typer.Exit(FOUND_PROBLEMS)


def _shown(title: str, coverage: Callable[[], list[Reached]], which: str) -> bool:
    """Print how the statuses of an API were reached; return whether all were."""
    found = coverage()
    rows = [
        (one.operation, str(one.status), one.case.how if one.case else "",
         "yes" if one.is_tested else f"no, {one.answered or 'no case'}")
        for one in found
    ]  # fmt: skip
    for line in table((title, "status", "how", "tested"), rows):
        typer.echo(line)
    tested = sum(one.is_tested for one in found)
    operations = len({one.operation for one in found})
    typer.echo(
        f"\n{title}: {operations} operations{which}, {tested} of {len(found)} statuses tested\n"
    )
    return tested == len(found)
