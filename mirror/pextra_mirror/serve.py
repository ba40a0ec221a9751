"""Serving the tree over HTTP without a web server, for a try or a small site."""

from __future__ import annotations

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pextra_mirror.tree import GENERATIONS


class Handler(SimpleHTTPRequestHandler):
    """Serves the tree, and not the records within."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> object:  # type: ignore[override]
        """Answer a request, unless it is for a record."""
        if GENERATIONS in self.path.split("/"):
            self.send_error(404)
            return None
        return super().send_head()


def server(root: Path, address: str, port: int) -> ThreadingHTTPServer:
    """A server of the tree; port 0 takes a free one."""
    return ThreadingHTTPServer((address, port), functools.partial(Handler, directory=str(root)))
