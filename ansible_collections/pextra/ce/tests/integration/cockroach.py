# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for CockroachDB: PostgreSQL, with cluster settings in front of it.

It listens on a local socket, speaks PostgreSQL's protocol, version 3
(https://www.postgresql.org/docs/15/protocol.html), and passes on what clients say to a real
PostgreSQL, but for two statements that it answers as CockroachDB's documentation says: SHOW and
SET CLUSTER SETTING, alone or with a parameter. It also reports ``crdb_version``.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

PORT = 26257
VERSION = "CockroachDB CCL v24.3.1 (stand-in)"
SETTINGS = ("cluster.organization", "enterprise.license")
_STATEMENT = re.compile(
    r"\s*(SHOW|SET) CLUSTER SETTING ([a-z.]+)(?:\s*(?:=|TO)\s*(\$1|'(?:[^']|'')*'))?\s*;?\s*",
    re.IGNORECASE,
)
_NO_ENCRYPTION = (80877103, 80877104)
_CANCEL = 80877102
_TEXT_OID = 25

Message = tuple[bytes, bytes]


class Refusal(Exception):
    """An error that the server answers with."""

    def __init__(self, state: str, text: str) -> None:
        super().__init__(text)
        self.state = state


class Cockroach:
    """The stand-in, from ``start`` to ``stop``.

    Args:
        upstream: The directory of PostgreSQL's socket, and its port.

    Attributes:
        settings: The cluster settings.
        sent: The statements about them as they came, and their parameters.
        privileged: Whether clients may see and change them.
    """

    def __init__(self, upstream: tuple[Path, int]) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="pextra-ce-crdb-"))
        self.settings = dict.fromkeys(SETTINGS, "")
        self.sent: list[tuple[str, str | None]] = []
        self.privileged = True
        self._upstream = f"{upstream[0]}/.s.PGSQL.{upstream[1]}"
        self._listener = socket.socket(socket.AF_UNIX)

    def start(self) -> None:
        """Listen."""
        self.directory.chmod(0o755)
        self._listener.bind(f"{self.directory}/.s.PGSQL.{PORT}")
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Listen no longer, and leave nothing behind."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def conninfo(self, name: str, user: str) -> str:
        """How to reach a database of the PostgreSQL behind it."""
        return f"host={self.directory} port={PORT} dbname={name} user={user}"

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(EOFError):
            server.connect(self._upstream)
            Session(self, client, server).run()

    def answer(
        self, statement: str, parameter: str | None, *, alone: bool
    ) -> tuple[bytes, Message]:
        """The description of a statement's row, the row or nothing; and its end.

        Raises:
            Refusal: As CockroachDB refuses it.
        """
        match = _STATEMENT.fullmatch(statement)
        assert match is not None
        self.sent.append((statement, parameter))
        verb, name, literal = match[1].upper(), match[2], match[3]
        if not self.privileged:
            raise Refusal(
                "42501", "only users with MODIFYCLUSTERSETTING, VIEWCLUSTERSETTING or"
                " MODIFYSQLCLUSTERSETTING privileges are allowed to show cluster settings",
            )  # fmt: skip
        if name not in self.settings:
            raise Refusal("XXUUU", f"unknown setting: {name!r}")
        if verb == "SHOW":
            return _described(name) + _row(self.settings[name]), (b"C", b"SHOW 1\0")
        if not alone:
            raise Refusal(
                "XXUUU", "SET CLUSTER SETTING cannot be used inside a multi-statement transaction"
            )
        value = parameter if literal == "$1" else literal[1:-1].replace("''", "'")
        assert value is not None
        if name == "enterprise.license" and not _is_license(value):
            raise Refusal("42601", "invalid license string")
        self.settings[name] = value
        return b"", (b"C", b"SET CLUSTER SETTING\0")


class Session:
    """One client's connection."""

    def __init__(self, cockroach: Cockroach, client: socket.socket, server: socket.socket) -> None:
        self._cockroach = cockroach
        self._client = client
        self._server = server
        self._status = b"I"

    def run(self) -> None:
        """Serve until the client leaves.

        Raises:
            EOFError: It left without a word.
        """
        if not self._begin():
            return
        batch: list[Message] = []
        while True:
            kind, payload = _receive(self._client)
            if kind == b"X":
                return
            batch.append((kind, payload))
            if kind in (b"Q", b"S"):
                self._turn(batch)
                batch = []

    def _begin(self) -> bool:
        while True:
            (length,) = struct.unpack("!i", _exactly(self._client, 4))
            body = _exactly(self._client, length - 4)
            (code,) = struct.unpack("!i", body[:4])
            if code not in _NO_ENCRYPTION:
                break
            self._client.sendall(b"N")
        if code == _CANCEL:
            return False
        self._server.sendall(struct.pack("!i", length) + body)
        self._relay(extra=_message(b"S", f"crdb_version\0{VERSION}\0".encode()))
        return True

    def _relay(self, extra: bytes = b"") -> None:
        """Pass answers on until the server is ready for the next question."""
        while True:
            kind, payload = _receive(self._server)
            if kind == b"Z":
                self._status = payload
                self._client.sendall(extra)
            self._client.sendall(_message(kind, payload))
            if kind == b"Z" or (kind == b"E" and extra):
                return

    def _turn(self, batch: list[Message]) -> None:
        statement, parameter = _asked(batch)
        if not _STATEMENT.fullmatch(statement):
            self._server.sendall(b"".join(_message(*item) for item in batch))
            self._relay()
            return
        simple = batch[0][0] == b"Q"
        head = b"" if simple else _message(b"1", b"") + _message(b"2", b"")
        try:
            rows, end = self._cockroach.answer(statement, parameter, alone=self._status == b"I")
        except Refusal as error:
            fields = f"SERROR\0VERROR\0C{error.state}\0M{error}\0\0".encode()
            self._status = b"I" if self._status == b"I" else b"E"
            answer = _message(b"E", fields)
        else:
            nothing = b"" if simple else _message(b"n", b"")
            answer = head + (rows or nothing) + _message(*end)
        self._client.sendall(answer + _message(b"Z", self._status))


def _asked(batch: list[Message]) -> tuple[str, str | None]:
    """The statement of a turn, and its first parameter."""
    statement, parameter = "", None
    for kind, payload in batch:
        if kind == b"Q":
            statement = payload.rstrip(b"\0").decode()
        elif kind == b"P":
            statement = payload.split(b"\0")[1].decode()
        elif kind == b"B":
            parameter = next(_parameters(payload), None)
    return statement, parameter


def _parameters(bind: bytes) -> Iterator[str]:
    """The parameters of a Bind message, which are text."""
    _portal, _name, rest = bind.split(b"\0", 2)
    (formats,) = struct.unpack_from("!h", rest)
    at = 2 + 2 * formats
    (count,) = struct.unpack_from("!h", rest, at)
    at += 2
    for _index in range(count):
        (size,) = struct.unpack_from("!i", rest, at)
        yield rest[at + 4 : at + 4 + size].decode()
        at += 4 + size


def _described(name: str) -> bytes:
    column = name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, _TEXT_OID, -1, -1, 0)
    return _message(b"T", struct.pack("!h", 1) + column)


def _row(value: str) -> bytes:
    data = value.encode()
    return _message(b"D", struct.pack("!hi", 1, len(data)) + data)


def _is_license(value: str) -> bool:
    """Whether CockroachDB would take it: empty, or its prefix and base64 without padding."""
    if not value:
        return True
    body = value.removeprefix("crl-0-")
    try:
        base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return False
    return value.startswith("crl-0-") and not value.endswith("=")


def _message(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("!i", len(payload) + 4) + payload


def _receive(source: socket.socket) -> Message:
    kind = _exactly(source, 1)
    (length,) = struct.unpack("!i", _exactly(source, 4))
    return kind, _exactly(source, length - 4)


def _exactly(source: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = source.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
