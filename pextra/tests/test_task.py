# SPDX-License-Identifier: Apache-2.0
"""What a task of Ansible asks of its node, from standard input to standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pextra import VERSION
from pextra.calls import task
from pextra.calls.call import Answer, Call, Procedure

ROOT = Path(__file__).parents[2]
NOWHERE = "host=/nowhere"


def asked(options: object, **more: Any) -> str:
    """What the collection's action writes."""
    given = {"name": "organization", "options": options, "check": True, "diff": False}
    return json.dumps({**given, "confirms": True, "log": True, **more})


def told(text: str, *path: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What the engine says to it."""
    places = os.pathsep.join(map(str, (*path, ROOT)))
    return subprocess.run(
        [sys.executable, "-P", "-m", "pextra.cli.task"],
        input=text.encode(), capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": places, **environment},
    )  # fmt: skip


def answer(text: str, *path: Path, **environment: str) -> dict[str, Any]:
    """Its answer, which is all that it prints but for the line before."""
    done = told(text, *path, **environment)
    hello, line = done.stdout.decode("ascii").splitlines()
    assert hello == f"pextra engine {VERSION}", done.stderr
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    "options", [{"name": "a\ud800b"}, {"na\udfffme": "x"}, {"name": "a\x00b"}, {"name": "a\nb"}]
)
def test_text_that_cannot_be_written_down_is_refused(options: dict[str, str]) -> None:
    found = answer(asked({**options, "database": NOWHERE}))
    assert found["code"] == "invalid_input"


@pytest.mark.parametrize(
    "text",
    [
        asked({"name": 1}).replace("1", "9" * 5000),
        asked({"name": 1}).replace("1", "[" * 5000 + "]" * 5000),
        asked({"name": "x"})[:-2],
        "{}",
        "[]",
        asked(["x"]),
    ],
    ids=["digits", "deep", "cut", "empty", "list", "options"],
)
def test_what_cannot_be_read_is_told(text: str) -> None:
    found = answer(text)
    assert (found["failed"], found["code"]) == (True, "invalid_input")
    assert "Traceback" not in found["msg"]


def test_where_no_standard_input_gets_through_nothing_is_said() -> None:
    done = told("")
    assert (done.stdout, done.returncode != 0) == (b"", True)


def test_what_libraries_and_programs_print_is_not_in_the_answer(tmp_path: Path) -> None:
    noise = "import os\nprint('noise', flush=True)\nos.system('echo more')\nraise ImportError\n"
    (tmp_path / "psycopg.py").write_text(noise)
    text = asked({"name": "x", "database": NOWHERE})
    done = told(text, tmp_path)
    assert len(done.stdout.splitlines()) == 2
    assert b"noise\n" in done.stderr
    assert b"more\n" in done.stderr
    assert answer(text, tmp_path)["code"] == "store"


def test_the_answer_is_the_same_whatever_the_environment_says() -> None:
    odd = {"PYTHONIOENCODING": "utf-16", "LC_ALL": "C", "PYTHONWARNINGS": "always"}
    assert answer(asked({"name": " Ünï"}), **odd)["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("error", "user", "hint"),
    [
        (PermissionError(13, "Permission denied", "/run/lock/x"), 65534, "Run it as root"),
        (PermissionError(13, "Permission denied", "/run/lock/x"), 0, ""),
        (OSError(28, "No space left on device", "/var/x"), 0, "Free space"),
        (OSError(122, "Disk quota exceeded", "/var/x"), 0, "Free space"),
        (OSError(30, "Read-only file system", "/var/x"), 0, "Make that"),
    ],
)
def test_what_the_system_refuses_is_a_failure_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, error: OSError, user: int, hint: str
) -> None:
    def fail(_call: Call) -> Answer:
        raise error

    monkeypatch.setattr(os, "geteuid", lambda: user)
    procedure = Procedure("x", (), fail, uses_store=False)
    result = task.result(procedure, {}, (), check=False, diff=False, confirms=False)
    assert result["code"] == "host"
    assert str(error) in result["msg"]
    assert (result["errors"][0]["hint"] or "").startswith(hint)
    assert "fault in it" not in result["msg"]
