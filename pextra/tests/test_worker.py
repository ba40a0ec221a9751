# SPDX-License-Identifier: Apache-2.0
"""The worker answers as a process of the caller's own would, or the caller does it itself."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pextra.cli import handover, worker

ROOT = Path(__file__).parents[2]
LOADED = "psycopg was loaded"
TELLING = f"""
import importlib, os, sys
print({LOADED!r}, file=sys.stderr, flush=True)
sys.path.remove(here := os.path.dirname(__file__))
del sys.modules["psycopg"]
real = importlib.import_module("psycopg")
sys.path.insert(0, here)
connect = real.connect
def noisy(*words, **more):
    os.system("echo $PEXTRA_CE_DATABASE")
    return connect(*words, **more)
real.connect = noisy
"""
"""A psycopg that tells who loads it, the worker or the caller, and makes noise when it connects."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="pxw") as name:
        yield Path(name)


class Engine:
    """An engine of a test's own, with or without a worker."""

    def __init__(self, place: Path, psycopg: str | None) -> None:
        self.code, self.socket = place / "code", place / "worker.sock"
        shutil.copytree(
            ROOT / "pextra", self.code / "pextra",
            ignore=shutil.ignore_patterns("tests", "__pycache__"),
        )  # fmt: skip
        if psycopg is not None:
            (self.code / "psycopg.py").write_text(psycopg)
        self.environment = {
            **os.environ, "PYTHONPATH": str(self.code), handover.VARIABLE: str(self.socket),
        }  # fmt: skip
        self.worker: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Start the worker, and wait until it listens."""
        self.worker = subprocess.Popen(
            # Started by somebody who ignores what it is ended with.
            ["sh", "-c", "trap '' INT TERM HUP; exec \"$@\"", "sh",
             sys.executable, "-P", "-m", "pextra.cli.worker"],
            env=self.environment, cwd="/",
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._listens():
            assert self.worker.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            return line.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        """End the worker."""
        if self.worker:
            self.worker.terminate()
            self.worker.wait()
            self.worker = None

    def call(self, database: str, **environment: str) -> subprocess.Popen[bytes]:
        """Begin a call that needs the database."""
        asked = {"name": "organization", "options": {"name": "x"}, "check": True, "diff": False}
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "pextra.cli.task"],
            env={**self.environment, "PEXTRA_CE_DATABASE": database, **environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert started.stdin is not None
        with started.stdin as stdin:
            stdin.write(json.dumps({**asked, "confirms": True, "log": False}).encode())
        started.stdin = None
        return started


def told(call: subprocess.Popen[bytes]) -> tuple[str, str]:
    """What a call comes to, and what it says beside."""
    answer, beside = call.communicate(timeout=60)
    return answer.decode().partition("\n")[2], beside.decode()


Maker = Callable[[str | None], Engine]


@pytest.fixture
def engine(place: Path) -> Iterator[Maker]:
    """Makes an engine, with a psycopg of the test's, or the real one."""
    made: list[Engine] = []

    def make(psycopg: str | None = None) -> Engine:
        made.append(Engine(place, psycopg))
        return made[-1]

    yield make
    for item in made:
        item.stop()


def test_the_answer_is_the_same_and_nothing_is_loaded_for_it(engine: Maker) -> None:
    made = engine(TELLING)
    alone, beside = told(made.call("host=/nowhere"))
    assert LOADED in beside
    made.serve()
    answered, beside = told(made.call("host=/nowhere"))
    assert LOADED not in beside
    assert json.loads(answered) == json.loads(alone)


def test_a_call_has_its_callers_environment_and_outputs(engine: Maker) -> None:
    made = engine(TELLING)
    made.serve()
    for name in ("a", "b"):
        answered, beside = told(made.call(f"host=/nowhere-{name}"))
        assert set(beside.splitlines()) == {f"host=/nowhere-{name}"}
        assert json.loads(answered)["code"] == "store"


def test_a_worker_with_other_code_is_not_asked(engine: Maker) -> None:
    made = engine(TELLING)
    made.serve()
    os.utime(made.code / "pextra/__init__.py", (1, 1))
    answered, beside = told(made.call("host=/nowhere"))
    assert LOADED in beside
    assert json.loads(answered)["failed"] is True


@pytest.mark.parametrize("other", ["PYTHONPATH", handover.VARIABLE])
def test_a_caller_that_would_not_do_the_same_does_it_itself(engine: Maker, other: str) -> None:
    made = engine(TELLING)
    made.serve()
    value = f"{made.code}:/nowhere" if other == "PYTHONPATH" else "/nowhere/worker.sock"
    answered, beside = told(made.call("host=/nowhere", **{other: value}))
    assert LOADED in beside
    assert json.loads(answered)["failed"] is True


def test_nobody_else_may_ask_it(engine: Maker) -> None:
    made = engine(TELLING)
    made.serve()
    assert made.socket.stat().st_mode & 0o077 == 0


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A socket that somebody may connect to."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


@pytest.fixture
def database(place: Path) -> Iterator[socket.socket]:
    """A server that takes connections and never says anything."""
    with listening(place / ".s.PGSQL.5432") as listener:
        listener.settimeout(60)
        yield listener


def waiting(made: Engine, database: socket.socket) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A call that waits for its database, and the database's end of that."""
    call = made.call(f"host={made.code.parent}")
    connection, _address = database.accept()
    connection.settimeout(60)
    assert connection.recv(1)
    return call, connection


def closed(connection: socket.socket) -> bool:
    """Whether the other end closes it; what it still says is passed over."""
    while connection.recv(1000):
        pass
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_asks_the_caller_to_end_ends_the_call(
    engine: Maker, database: socket.socket, number: signal.Signals
) -> None:
    made = engine(None)
    made.serve()
    call, connection = waiting(made, database)
    call.send_signal(number)
    answered, beside = told(call)
    assert call.returncode != 0
    assert answered == ""
    assert "without an answer" in beside
    assert closed(connection)


def test_a_call_goes_on_when_the_worker_is_ended(engine: Maker, database: socket.socket) -> None:
    made = engine(None)
    made.serve()
    call, connection = waiting(made, database)
    made.stop()
    connection.close()
    database.close()
    answered, _beside = told(call)
    assert json.loads(answered)["code"] == "store"


def test_a_call_goes_on_when_its_caller_is_killed(engine: Maker, database: socket.socket) -> None:
    made = engine(None)
    made.serve()
    call, connection = waiting(made, database)
    call.kill()
    call.wait()
    connection.settimeout(0.5)
    with pytest.raises(TimeoutError):
        closed(connection)


@pytest.mark.parametrize("said", [b"", b"nonsense\n", b"taken x\n"])
def test_one_that_does_not_take_it_over_is_no_worker(
    place: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    assert answered_by(place, monkeypatch, said) is None


def test_one_that_took_it_over_and_vanished_is_told_of(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered_by(place, monkeypatch, b"taken 1\n") == 1


def answered_by(place: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> int | None:
    """What is made of somebody on the socket who says this, hears all, and hangs up."""
    monkeypatch.setenv(handover.VARIABLE, str(place / "other.sock"))
    with listening(place / "other.sock") as listener:

        def answer() -> None:
            line, _address = listener.accept()
            with line:
                line.recv(2**20)
                line.sendall(said)
                if said.startswith(b"taken 1"):
                    line.recv(4)

        thread = threading.Thread(target=answer)
        thread.start()
        before = {number: signal.getsignal(number) for number in (1, 2, 15)}
        try:
            return handover.handed_over(b"call")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            thread.join()


def test_one_that_says_nothing_is_no_worker(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_PATIENCE", 0.1)
    monkeypatch.setenv(handover.VARIABLE, str(place / "other.sock"))
    with listening(place / "other.sock"):
        assert handover.handed_over(b"call") is None


def test_it_ends_when_nobody_asks(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.1)
    with listening(place / "worker.sock") as listener:
        worker.serve(listener)
