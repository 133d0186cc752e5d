"""The composition root: endpoints, middleware and the page, as one ASGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from lineal.server.compat.mlflow import routes as mlflow
from lineal.server.dispatch import NOWHERE, Dispatch, refuse, refuse_http
from lineal.server.gate import Gate
from lineal.server.hosts import HostGuard
from lineal.server.live import Live
from lineal.server.observed import Observed
from lineal.server.openapi import OPENAPI_PATH
from lineal.server.pages import Pages
from lineal.server.probes import probes
from lineal.server.proxies import BehindProxy
from lineal.server.route_table import ENDPOINTS, by_path
from lineal.server.tenants import TenantPaths

if TYPE_CHECKING:
    from lineal.server.settings import Settings
    from lineal.server.source import Source


class Text(Convertor[str]):
    """Any text, slashes and line ends included: names are data. (Starlette's own `path` ends at a line end.)"""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", Text())


def make_app(source: Source, live: Live, settings: Settings, observed: Observed | None = None) -> Starlette:
    """The app over `source`. Whoever made `live` ends it."""
    gate = Gate(source, asks=settings.asks)
    dispatch = Dispatch(source, live, gate, observed or Observed(), settings.base_path, settings.artifact_root)
    pages = Pages(settings.static, settings.base_path)
    routes = [
        Route(path, dispatch.serving(of_path), methods=list(of_path))
        for path, of_path in by_path((*ENDPOINTS, *mlflow.ENDPOINTS)).items()
    ]
    routes += [
        *mlflow.absent_routes(),
        Route(OPENAPI_PATH, dispatch.serve_openapi, methods=["GET"]),
        *(Route(path, dispatch.serve_nothing, methods=["GET"]) for path in NOWHERE),
        *probes(dispatch),
        Route("/{path:text}", pages.serve, methods=["GET"]),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={Exception: refuse, 404: refuse_http, 405: refuse_http},
    )
    app.add_middleware(TenantPaths, beside=mlflow.PREFIXES)
    app.add_middleware(HostGuard, settings=settings)
    app.add_middleware(BehindProxy, settings=settings)  # the outermost
    return app
