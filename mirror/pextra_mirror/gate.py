"""What aptly asks through: a proxy on the loopback interface, for one sync of one source.

aptly checks no Valid-Until, starts a file anew when its connection breaks, and loses finished files
when it is killed. So it is given indexes only, all of one verified state of the source. Packages
are fetched before, in parallel, going on where an earlier run was, right into aptly's pool under
the names that aptly gives. Then it finds them there.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

from pextra_mirror.errors import MirrorError, TransferError
from pextra_mirror.release import Release, packages, unpacked
from pextra_mirror.tree import sha256_of
from pextra_mirror.upstream import Upstream


class Server(ThreadingHTTPServer):
    """Ends with the sync."""

    daemon_threads = True


class Gate:
    """The proxy.

    Args:
        upstream: The source.
        distribution: Which distribution.
        signed: The verified Release files, by name.
        release: What they say.
        cache: Folder of indexes and unfinished downloads.
        pool: aptly's pool.

    Attributes:
        wanted: Size and SHA-256 of the packages that aptly will want and does not have, by name.
        fault: The first thing that went wrong.
    """

    def __init__(
        self, upstream: Upstream, distribution: str, signed: dict[str, bytes], release: Release,
        cache: Path, pool: Path,
    ) -> None:  # fmt: skip
        self.upstream = upstream
        self.release = release
        self.wanted: dict[str, tuple[int, str]] = {}
        self.fault: MirrorError | None = None
        self._signed = {f"dists/{distribution}/{name}": data for name, data in signed.items()}
        self._distribution = f"dists/{distribution}/"
        self._index_cache, self._parts = cache / "index", cache / "partial"
        self._pool = pool
        for path in (self._index_cache, self._parts):
            path.mkdir(parents=True, exist_ok=True)
        self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"gate": self}))

    @property
    def proxy(self) -> str:
        """What aptly's environment variable http_proxy must be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Gate:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> bytes | None:
        """A Release file or an index; None for all else."""
        if path in self._signed or not path.startswith(self._distribution):
            return self._signed.get(path)
        name = path.removeprefix(self._distribution)
        return self.index(name) if name in self.release.files else None

    def packages(self, component: str, architecture: str) -> list[dict[str, str]]:
        """The fields of each package of an index.

        Raises:
            TransferError: It cannot be had.
        """
        stem = f"{component}/binary-{architecture}/Packages"
        # In the order in which aptly looks for them, so that none is fetched twice.
        there = (f"{stem}{end}" for end in (".bz2", ".gz", ".xz", ""))
        name = next((name for name in there if name in self.release.files), None)
        if name is None:
            raise TransferError(f"{self.upstream.url} has no index {self._distribution}{stem}")
        return list(packages(unpacked(name, self.index(name))))

    def want(self, found: Iterable[dict[str, str]]) -> None:
        """Want those of the packages that are not in aptly's pool."""
        for package in found:
            entry = int(package["Size"]), package["SHA256"]
            path = self._pooled(package["Filename"], entry[1])
            if not path.is_file() or path.stat().st_size != entry[0]:
                self.wanted[package["Filename"]] = entry

    def _pooled(self, name: str, digest: str) -> Path:
        """Where aptly has a package; a file that lies there is taken as fetched."""
        base = name.rpartition("/")[2]
        return self._pool / digest[:2] / digest[2:4] / f"{digest[4:32]}_{base}"

    def index(self, name: str) -> bytes:
        """A file that the Release names, from the cache if it is there.

        Raises:
            TransferError: It cannot be had, or is not what the Release says.
        """
        size, digest = self.release.files[name]
        cached = self._index_cache / digest
        if cached.exists() and len(data := cached.read_bytes()) == size:
            if hashlib.sha256(data).hexdigest() == digest:
                return data
            cached.unlink()
        path = self._distribution + name
        if self.release.by_hash:
            folder = path.rpartition("/")[0]
            path = f"{folder}/by-hash/SHA256/{digest}"
        data = self.upstream.get(path) or b""
        if hashlib.sha256(data).hexdigest() != digest:
            raise TransferError(
                f"{self.upstream.url}/{path} is not what the signed Release says",
                "If the source is being published right now, try again in a moment",
            )
        temporary = cached.with_suffix(".new")
        temporary.write_bytes(data)
        temporary.replace(cached)
        return data

    def fetch(self, transfers: int, on_bytes: Callable[[int], None]) -> None:
        """Bring the wanted packages to aptly's pool; forget that they were wanted.

        Raises:
            TransferError: One cannot be had; the others, and what there is of it, stay.
        """
        with ThreadPoolExecutor(transfers) as threads:
            try:
                # All at once, and within: a signal may come while they are handed over, too.
                futures = [threads.submit(self._package, name, on_bytes) for name in self.wanted]
                for future in futures:
                    future.result()
            except BaseException:
                self.upstream.stop()
                threads.shutdown(cancel_futures=True)
                raise
        self.wanted.clear()

    def _package(self, name: str, on_bytes: Callable[[int], None]) -> None:
        size, digest = self.wanted[name]
        part = self._parts / digest
        self.upstream.resume(name, size, part, on_bytes)
        if sha256_of(part) != digest:
            part.unlink()
            raise TransferError(f"{self.upstream.url}/{name} is not what the signed index says")
        path = self._pooled(name, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)


class Handler(BaseHTTPRequestHandler):
    """One connection of aptly's."""

    protocol_version = "HTTP/1.1"
    gate: Gate

    def do_GET(self) -> None:
        """Answer a request, whose address is a whole one: this is a proxy."""
        path = unquote(urlsplit(self.path).path).lstrip("/")
        try:
            data = self.gate.answer(path)
        except (MirrorError, OSError) as error:
            fault = error if isinstance(error, MirrorError) else MirrorError(f"{path}: {error}")
            self.gate.fault = self.gate.fault or fault
            data = None
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the sync does."""
