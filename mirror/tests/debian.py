"""Debian as this machine's apt reaches it, on the loopback interface.

What is asked for is fetched with apt's own client and options, whatever proxies or keys they name,
and kept, so that a second run moves nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mirror_bed import run

HELPER = "/usr/lib/apt/apt-helper"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def address(distribution: str = "bookworm") -> str:
    """Where this machine's apt has a distribution of Debian from."""
    lines = run(
        "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
        "Created-By: Packages",
    ).decode()  # fmt: skip
    for line in lines.splitlines():
        uri, codename, component = line.split()
        if (codename, component) == (distribution, "main"):
            return uri.rstrip("/")
    raise LookupError(f"apt's sources name no main of {distribution}; is there an apt-get update?")


class Handler(BaseHTTPRequestHandler):
    """Fetches what it does not have yet."""

    protocol_version = "HTTP/1.1"
    origin: str
    kept: Path

    def do_GET(self) -> None:
        """Answer a request."""
        name = self.path.lstrip("/")
        path = self.kept / name
        # The Release changes, all else has a hash or a version in its name.
        if "by-hash" not in name and not name.endswith(".deb"):
            path.unlink(missing_ok=True)
        if not path.is_file():
            fetch(f"{self.origin}/{name}", path)
        if not path.is_file():
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        with path.open("rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def fetch(url: str, path: Path) -> None:
    """Bring a file, if it can be had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{threading.get_ident()}")
    done = subprocess.run(
        [HELPER, "-o", "APT::Sandbox::User=root", "download-file", url, str(new)],
        capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode == 0:
        new.replace(path)
    new.unlink(missing_ok=True)


@contextmanager
def debian(kept: Path, distribution: str = "bookworm") -> Iterator[str]:
    """The address of Debian on the loopback interface."""
    bound = type("Bound", (Handler,), {"origin": address(distribution), "kept": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), bound) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
