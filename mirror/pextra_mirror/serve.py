"""Serving the tree over HTTP without a web server, for a try or a small site."""

from __future__ import annotations

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of the tree, and neither the records within nor lists of folders."""

    protocol_version = "HTTP/1.1"

    def send_head(self) -> object:  # type: ignore[override]
        """Answer a request, unless it is for a record."""
        parts = unquote(urlsplit(self.path).path).split("/")
        if any(part.startswith(".") for part in parts):
            self.send_error(404)
            return None
        return super().send_head()

    def list_directory(self, path: object) -> None:
        """Tell nobody what is there: apt asks by name."""
        self.send_error(404)


def server(root: Path, address: str, port: int) -> ThreadingHTTPServer:
    """A server of the tree; port 0 takes a free one."""
    return ThreadingHTTPServer((address, port), functools.partial(Handler, directory=str(root)))
