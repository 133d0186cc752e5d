"""The composition root: endpoints, middleware and the page, as one ASGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from lineal.server.dispatch import Dispatch, refuse, refuse_http
from lineal.server.hosts import HostGuard
from lineal.server.live import Live
from lineal.server.openapi import OPENAPI_PATH
from lineal.server.pages import Pages
from lineal.server.route_table import ENDPOINTS, by_path
from lineal.server.tenants import TenantPaths

if TYPE_CHECKING:
    from lineal.server.settings import Settings
    from lineal.server.source import Source


def make_app(source: Source, live: Live, settings: Settings) -> Starlette:
    """The app over `source`. Whoever made `live` ends it."""
    dispatch = Dispatch(source, live)
    pages = Pages(settings.static)
    routes = [
        Route(path, dispatch.serving(of_path), methods=list(of_path)) for path, of_path in by_path(ENDPOINTS).items()
    ]
    routes += [
        Route(OPENAPI_PATH, dispatch.serve_openapi, methods=["GET"]),
        Route("/api", dispatch.serve_nothing, methods=None),
        Route("/api/{rest:path}", dispatch.serve_nothing, methods=None),
        Route("/{path:path}", pages.serve, methods=["GET"]),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={Exception: refuse, 404: refuse_http, 405: refuse_http},
    )
    app.add_middleware(TenantPaths)
    app.add_middleware(HostGuard, settings=settings)  # the outermost
    return app
