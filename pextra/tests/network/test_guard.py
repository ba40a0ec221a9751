# SPDX-License-Identifier: Apache-2.0
"""The guard of a change: who takes its state away first decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.pextra.ce.plugins.plugin_utils import guards
from pextra.host.network import guard


@pytest.fixture
def armed(tmp_path: Path) -> Path:
    """A guard's directory; it would put one file back and remove another."""
    directory = tmp_path / "home" / "1"
    directory.mkdir(parents=True)
    (tmp_path / "old").write_text("new")
    (tmp_path / "added").write_text("new")
    files = {str(tmp_path / "old"): "as before", str(tmp_path / "added"): None}
    state = {"operations": [], "files": files, "interfaces": [], "timeout": 0.5}
    (directory / "state.json").write_text(json.dumps(state))
    return directory


def argv(directory: Path, command: str) -> list[str]:
    """The command line that the node has, with the Python of the tests."""
    return [sys.executable, *guard.program(command, str(directory))[1:]]


def run(directory: Path, command: str) -> str:
    """What the program prints; nothing but its own file is in reach."""
    done = subprocess.run(
        argv(directory, command), capture_output=True, text=True, check=True, env={}, cwd="/"
    )
    return done.stdout.strip()


def files(directory: Path) -> tuple[str, bool]:
    """Content of one file, and whether the other is there."""
    top = directory.parents[1]
    return (top / "old").read_text(), (top / "added").exists()


def test_what_nobody_confirms_is_put_back(armed: Path) -> None:
    run(armed, "wait")
    assert files(armed) == ("as before", False)
    assert run(armed, "confirm") == "restored"


def test_what_is_confirmed_stays(armed: Path) -> None:
    assert run(armed, "confirm") == "confirmed"
    assert run(armed, "confirm") == "confirmed"
    run(armed.parent, "boot")
    assert files(armed) == ("new", True)


def test_confirmation_ends_the_wait(armed: Path) -> None:
    state = json.loads((armed / "state.json").read_text()) | {"timeout": 600}
    (armed / "state.json").write_text(json.dumps(state))
    waiting = subprocess.Popen(argv(armed, "wait"))
    assert run(armed, "confirm") == "confirmed"
    assert waiting.wait(30) in (0, 1)
    assert files(armed) == ("new", True)


def test_restart_puts_files_back_once(armed: Path) -> None:
    run(armed.parent, "boot")
    assert files(armed) == ("as before", False)
    (armed.parents[1] / "old").write_text("changed since")
    run(armed.parent, "boot")
    assert files(armed) == ("changed since", False)


def test_restart_undoes_all_changes_the_latest_first(armed: Path) -> None:
    later = armed.with_name("2")
    later.mkdir()
    state = json.loads((armed / "state.json").read_text())
    between = {str(armed.parents[1] / "old"): "between the changes"}
    (later / "state.json").write_text(json.dumps(state | {"files": between}))
    os.utime(armed / "state.json", (1, 1))
    run(armed.parent, "boot")
    assert files(armed) == ("as before", False)
    assert (run(armed, "confirm"), run(later, "confirm")) == ("restored", "restored")


def test_a_change_that_failed_is_put_back_at_once(armed: Path) -> None:
    guard.restore(str(armed))
    assert files(armed) == ("as before", False)
    assert run(armed, "confirm") == "restored"


def test_the_next_run_looks_when_everything_is_put_back(
    armed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "HOME", str(armed.parent))
    # What it does last, in a directory that stands for a bond's.
    bond = armed.parents[1] / "bond"
    (bond / "bonding").mkdir(parents=True)
    state = json.loads((armed / "state.json").read_text())
    state["operations"] = [["primary", f"../../..{bond} link1"]]
    (armed / "state.json").write_text(json.dumps(state))
    guard.await_restored()  # nothing was ever put back here
    waiting = subprocess.Popen(argv(armed, "wait"))
    while (armed / "state.json").exists():
        assert waiting.poll() is None
        time.sleep(0.001)
    guard.await_restored()
    assert (bond / "bonding" / "primary").read_text() == "link1\n"
    assert waiting.wait(30) == 0


@pytest.mark.parametrize("words", [[], ["wait"], ["undo", "/nonexistent"]])
def test_an_unknown_command_does_nothing(words: list[str]) -> None:
    program = guard.program("boot", "/")[1:-2]
    done = subprocess.run([sys.executable, *program, *words], check=False, capture_output=True)
    assert done.returncode == 2


class Connection:
    """A node that answers after some tries, or never."""

    def __init__(self, answers: list[str]) -> None:
        self._answers = answers
        self._connection = self
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1

    def _low_level_execute_command(self, command: str, sudoable: bool) -> dict[str, Any]:
        assert command == "program confirm '/a directory'"
        return {"stdout": self._answers.pop(0) if self._answers else "", "stderr": "no route"}


def confirmed(answers: list[str], timeout: int = 60) -> dict[str, Any]:
    """What becomes of a task's result."""
    left = {
        "confirm": ["program", "confirm", "/a directory"], "timeout": timeout,
        "vswitch": "svswitch1", "removal": False,
    }  # fmt: skip
    return guards.confirm(Connection(answers), [left], {"changed": True}, time.monotonic())


def test_task_succeeds_when_a_new_connection_confirms() -> None:
    assert confirmed(["", "confirmed\n"]) == {"changed": True}


def test_task_fails_when_the_node_went_back() -> None:
    result = confirmed(["restored"])
    assert (result["failed"], result["code"]) == (True, "guard")
    assert "has put its old network configuration back" in result["msg"]


def test_task_fails_and_says_when_the_node_goes_back() -> None:
    result = confirmed([], timeout=3)
    assert result["failed"]
    assert "by itself 3 s after the change" in result["msg"]
    assert "no route" in result["msg"]
