"""The test bed: a real source repository over HTTP, a real mirror of it, real apt clients.

Everything is below one folder; packages are made with dpkg-deb, signatures with gpg and keys of
the bed's own, the mirror by the command itself on Debian's Python with Debian's aptly.
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.utils
import functools
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

PACKAGE = Path(__file__).parents[1]
PYTHON = "/usr/bin/python3"
ARCHITECTURES = ("amd64", "arm64")
PARTS = ("pce-node", "pce-web", "cockroachdb")
"""What pce-common depends on; in the component common, itself in meta."""


def run(*argv: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """The output of a program that succeeds."""
    done = subprocess.run(
        [str(word) for word in argv], input=stdin, capture_output=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, f"{argv}: {(done.stderr + done.stdout).decode()}"
    return done.stdout


class Key:
    """A throw-away signing key with a key store of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.home = folder / name
        self.home.mkdir(mode=0o700, parents=True)
        self.env = {"GNUPGHOME": str(self.home)}
        run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", f"{name} <{name}@test>",
            "ed25519", "sign", "never", env=self.env)  # fmt: skip
        self.public = self.home / "public.gpg"
        run("gpg", "--batch", "--output", self.public, "--export", env=self.env)
        lines = run("gpg", "--batch", "--with-colons", "--list-keys", env=self.env).decode()
        self.fingerprint = next(
            line.split(":")[9] for line in lines.splitlines() if line.startswith("fpr")
        )

    def clearsign(self, text: str) -> bytes:
        """A clear-signed message."""
        return run("gpg", "--batch", "--clearsign", env=self.env, stdin=text.encode())

    def sign(self, text: str) -> bytes:
        """A detached signature."""
        argv = ["gpg", "--batch", "--armor", "--detach-sign"]
        return run(*argv, env=self.env, stdin=text.encode())

    def stop(self) -> None:
        """End its agent."""
        run("gpgconf", "--kill", "all", env=self.env)


@dataclasses.dataclass(frozen=True)
class Deb:
    """A package that was built."""

    name: str
    version: str
    architecture: str
    component: str
    control: str
    data: bytes

    @property
    def path(self) -> str:
        """Where it is below the source."""
        return f"pool/{self.component}/{self.name}_{self.version}_{self.architecture}.deb"


class Builder:
    """Builds packages, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[tuple[str, ...], Deb] = {}

    def deb(
        self, name: str, version: str, architecture: str, component: str = "common",
        depends: str = "", size: int = 2000, extra: str = "",
    ) -> Deb:  # fmt: skip
        """A package whose contents nobody could have guessed or compressed."""
        key = (name, version, architecture, component, depends, str(size), extra)
        if key not in self._built:
            self._built[key] = self._build(*key)
        return self._built[key]

    def _build(
        self, name: str, version: str, architecture: str, component: str, depends: str, size: str,
        extra: str,
    ) -> Deb:  # fmt: skip
        root = self._folder / f"{name}_{version}_{architecture}"
        shutil.rmtree(root, ignore_errors=True)
        (root / "DEBIAN").mkdir(parents=True)
        (root / f"usr/share/{name}").mkdir(parents=True)
        (root / f"usr/share/{name}/version").write_text(version)
        (root / f"usr/share/{name}/data").write_bytes(os.urandom(int(size)))
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
            f"Maintainer: Test <test@example.com>\n{extra}"
            + (f"Depends: {depends}\n" if depends else "")
            + "Description: made by a test\n"
        )
        (root / "DEBIAN/control").write_text(control)
        out = self._folder / f"{root.name}.deb"
        run("dpkg-deb", "--root-owner-group", "-Znone", "--build", root, out)
        return Deb(name, version, architecture, component, control, out.read_bytes())

    def platform(self, version: str) -> list[Deb]:
        """The platform's packages of a version, for both architectures."""
        found = []
        for architecture in ARCHITECTURES:
            found += [self.deb(name, version, architecture) for name in PARTS]
            depends = ", ".join(f"{name} (= {version})" for name in PARTS)
            found.append(self.deb("pce-common", version, architecture, "meta", depends))
        return found


@dataclasses.dataclass
class Fault:
    """How the server misbehaves for a path: breaks off after so many bytes, so many times.

    Attributes:
        drip: Seconds between two bytes and the next two.
        head: The head of the answer drips, too.
    """

    after: int
    times: int = 10**6
    seen: int = 0
    drip: float = 0
    head: bool = False


class Server(ThreadingHTTPServer):
    """A server whose clients may be killed."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that was broken."""


class SourceRepository:
    """A repository as a vendor has it, over HTTP, with faults on demand.

    Attributes:
        faults: By the end of a path.
        requests: Path and range of every request, in order.
        sent: Bytes of bodies that were sent.
    """

    def __init__(self, root: Path, key: Key) -> None:
        self.root = root
        self.key = key
        self.faults: dict[str, Fault] = {}
        self.requests: list[tuple[str, str]] = []
        self.sent = 0
        self._moment = int(time.time()) - 86400
        bound = type("Bound", (SourceHandler,), {"source": self})
        self._server = Server(("127.0.0.1", 0), bound)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, handler: type[SourceHandler]) -> None:
        """Have requests be answered otherwise from now on."""
        self._server.RequestHandlerClass = handler

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def release(
        self, debs: Iterable[Deb], *, key: Key | None = None, fields: str = "", distribution: str =
        "bookworm", components: Sequence[str] = ("common", "meta"), compress: bool = True,
        by_hash: bool = False, moment: int | None = None, detached: bool = False, named: str = "",
    ) -> None:  # fmt: skip
        """Publish exactly these packages, a minute later than the last time."""
        debs = list(debs)
        self._moment += 60
        folder = self.root / "dists" / distribution
        files: dict[str, bytes] = {}
        for component in components:
            for architecture in ARCHITECTURES:
                chosen = [deb for deb in debs if deb.component == component
                          and deb.architecture in (architecture, "all")]  # fmt: skip
                text = "\n".join(self._entry(deb) for deb in chosen)
                name = f"{component}/binary-{architecture}/Packages"
                files[name] = text.encode()
                if compress:
                    files[f"{name}.gz"] = gzip.compress(text.encode(), mtime=0)
        for deb in debs:
            write(self.root / deb.path, deb.data)
        lines = [f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}"
                 for name, data in files.items()]  # fmt: skip
        for name, data in files.items():
            path = folder / name
            if by_hash:
                path = path.parent / "by-hash/SHA256" / hashlib.sha256(data).hexdigest()
            write(path, data)
        date = email.utils.formatdate(self._moment if moment is None else moment, usegmt=True)
        text = (
            f"Origin: Vendor\nLabel: Platform\nSuite: stable\nCodename: {distribution}\n"
            f"Date: {date}\nArchitectures: {' '.join(ARCHITECTURES)}\n"
            f"Components: {' '.join(f'{named}{item}' for item in components)}\n{fields}"
            + ("Acquire-By-Hash: yes\n" if by_hash else "")
            + "SHA256:\n" + "\n".join(lines) + "\n"
        )  # fmt: skip
        write(folder / "InRelease", (key or self.key).clearsign(text))
        if detached:
            write(folder / "Release", text.encode())
            write(folder / "Release.gpg", (key or self.key).sign(text))

    def _entry(self, deb: Deb) -> str:
        digest = hashlib.sha256(deb.data).hexdigest()
        return f"{deb.control}Filename: {deb.path}\nSize: {len(deb.data)}\nSHA256: {digest}\n"

    def paths(self) -> list[str]:
        """What was asked for since the last time."""
        found = [path for path, _range in self.requests]
        self.requests.clear()
        return found


def write(path: Path, data: bytes) -> None:
    """Write a file and the folders it is in, if it is not so already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


class SourceHandler(SimpleHTTPRequestHandler):
    """Serves a source: ranges too, and faults."""

    protocol_version = "HTTP/1.1"
    source: SourceRepository

    def do_GET(self) -> None:
        """Answer a request."""
        asked = self.headers.get("Range", "")
        path = unquote(urlsplit(self.path).path).lstrip("/")
        self.source.requests.append((path, asked))
        file = self.source.root / path
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        fault = next((f for end, f in self.source.faults.items() if path.endswith(end)), None)
        if fault and fault.head:
            self.drip(b"HTTP/1.1 200 OK\r\nX-Some: " + b"x" * 5000, 1, fault.drip)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        if fault and fault.seen < fault.times:
            fault.seen += 1
            body = body[: max(0, fault.after - start)]
            self.close_connection = True
            if fault.drip:
                self.drip(body, 2, fault.drip)
                return
        self.wfile.write(body)
        self.source.sent += len(body)

    def drip(self, data: bytes, size: int, pause: float) -> None:
        """Send a few bytes now and then."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            for start in range(0, len(data), size):
                self.wfile.write(data[start : start + size])
                time.sleep(pause)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its result."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Mirror:
    """A mirror in a folder of its own."""

    def __init__(self, folder: Path, *sources: Mapping[str, Any], **settings: Any) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.config = folder / "config.toml"
        self.public = self.root / "public"
        self.env = {**os.environ, "PYTHONPATH": str(PACKAGE), "LC_ALL": "C.UTF-8"}
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(*sources, **settings)

    def configure(self, *sources: Mapping[str, Any], **settings: Any) -> None:
        """Write the configuration."""
        values = {"root": str(self.root), "retries": 2, "reserve": 0, **settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        for source in sources:
            entries = (f"{key} = {json.dumps(item)}" for key, item in source.items())
            lines += ["[[source]]", *entries]
        self.config.write_text("\n".join(lines) + "\n")

    def argv(self, *words: str | Path) -> list[str]:
        """The command line of a command."""
        command, *rest = map(str, words)
        options = ["--config", str(self.config), "--json"]
        return [PYTHON, "-m", "pextra_mirror", command, *options, *rest]

    def call(self, *words: str | Path) -> Done:
        """Run a command, whatever comes of it."""
        done = subprocess.run(
            self.argv(*words), env=self.env, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, *words: str | Path) -> dict[str, Any]:
        """Run a command that succeeds; its result."""
        done = self.call(*words)
        assert done.code == 0, f"{words}: {done.code} {done.err}{done.out}"
        return done.json

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            self.argv(*words), env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def key(self) -> Path:
        """A file with the mirror's public key."""
        path = self.folder / "mirror.asc"
        path.write_text(self.run("key")["public_key"])
        return path

    def stop(self) -> None:
        """End the agent of its key store."""
        run("gpgconf", "--kill", "all", env={"GNUPGHOME": str(self.root / "gnupg")})


def platform(upstream: SourceRepository, **more: Any) -> dict[str, Any]:
    """The platform as a source of a mirror."""
    return {
        "name": "pextra", "url": upstream.url, "distribution": "bookworm",
        "components": ["common", "meta"], "architectures": ["amd64", "arm64"],
        "keyring": str(upstream.key.public), **more,
    }  # fmt: skip


@contextlib.contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of a web server of a folder."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    handler = functools.partial(Handler, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
