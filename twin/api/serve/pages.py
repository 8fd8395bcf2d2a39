"""One API as a web site: its operations, and beside them what a developer looks at."""

from concurrent.futures import Executor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from twin.api.http import Api
from twin.api.serve.door import Door

__all__ = ["site"]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="/docs/files/swagger-ui.css">
<link rel="icon" href="/docs/files/favicon-32x32.png">
</head>
<body>
<div id="api"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{url: "/openapi.json", dom_id: "#api"}})</script>
</body>
</html>
"""


def site(
    api: Api, described: dict[str, Any] | None, owner: Executor, sockets: ASGIApp | None = None
) -> Starlette:
    """Return an API as an ASGI application.

    Parameters
    ----------
    api
        What answers.
    described
        The same as OpenAPI; None where nothing is described.
    owner
        The one thread on which the twin lives.
    sockets
        What answers below ``/ws``, nothing by default.
    """
    pages = [] if described is None else _pages(described)
    if sockets is not None:
        pages.append(Mount("/ws", app=sockets))
    return Starlette(routes=[*pages, Mount("/", app=Door(api, owner))])


def _pages(described: dict[str, Any]) -> list[BaseRoute]:
    """Return the description, and Swagger UI to read it with and to try operations."""
    page = _PAGE.format(title=described["info"]["title"])

    async def openapi(_request: Request) -> JSONResponse:
        return JSONResponse(described)

    async def docs(_request: Request) -> HTMLResponse:
        return HTMLResponse(page)

    return [
        Route("/openapi.json", openapi),
        Route("/docs", docs),
        Mount("/docs/files", app=StaticFiles(directory=_swagger_ui())),
    ]


def _swagger_ui() -> Path:
    """Return where the files of Swagger UI are; its package is never imported."""
    spec = find_spec("swagger_ui")
    assert spec is not None, "it belongs to the extra that brings starlette"
    assert spec.origin is not None, "it is a package with an __init__.py"
    return Path(spec.origin).parent / "static"
