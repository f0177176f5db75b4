"""The pages and the HTTP interface: what anybody on the site may see, and nobody's person."""

from host_bridge.web.app import create_app
from host_bridge.web.server import serve

__all__ = ["create_app", "serve"]
