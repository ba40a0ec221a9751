# SPDX-License-Identifier: Apache-2.0
"""The command pextra without a database: its usage, what it shows, and how it reads options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pextra import VERSION
from pextra.calls.operation import masking
from pextra.calls.registry import find
from pextra.cli import main, terminal
from pextra.engine.progress import Event, Progress, begin
from pextra.host import process
from pextra.model.errors import AggregateError, CancelledError, NotFoundError


@pytest.mark.parametrize(
    "command",
    [[], ["reconcile"], ["call"], ["operation", "list"], ["policy", "test"], ["secrets", "rotate"]],
)
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.main([*command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert "exit status:" in text
    assert command[:1] == ["operation"] or "examples:" in text


@pytest.mark.parametrize(
    "command",
    [[], ["frobnicate"], ["reconcile", "organization"], ["operation"], ["call"],
     ["operation", "show"], ["secrets"], ["secrets", "status", "more"]],
)  # fmt: skip
def test_wrong_usage_ends_with_2(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main.main(command)
    assert end.value.code == main.USAGE
    assert "usage: pextra" in capsys.readouterr().err


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["version"]) == main.DONE
    assert capsys.readouterr().out == f"{VERSION}\n"


@pytest.mark.parametrize("options", ["{", "[]", "/nonexistent.json", "null"])
def test_options_that_cannot_be_read_are_told(
    options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["call", "organization", "--options", options]) == main.FAILED
    assert capsys.readouterr().err.startswith("pextra: invalid_input: the options")


def test_what_nobody_has_is_told_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["call", "frobnicate"]) == main.FAILED
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("pextra: not_found: frobnicate: ")
    assert said[1].startswith("  ")


@pytest.mark.parametrize("program", ["main", "license"])
@pytest.mark.parametrize(
    ("end", "status", "said"),
    [("| true", 0, ""), (">&-", 0, ""), (">/dev/full", None, "cannot be written: No space left")],
)
def test_who_reads_no_answer_makes_no_noise_and_a_full_disk_is_told(
    program: str, end: str, status: int | None, said: str
) -> None:
    root = str(Path(__file__).parents[2])
    # Without buffers the end of the pipe would show while it is written to, with them at the end.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    line = f"{sys.executable} -m pextra.cli.{program} --help {end}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False,
        env={**environment, "PYTHONPATH": root},
    )  # fmt: skip
    assert done.returncode == status if status is not None else done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert bool(done.stderr) == bool(said)


def test_progress_that_nobody_reads_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        shown = terminal.Shown()
        for step in (1, 2):
            shown.report(Event("host", step, 2, "define the pool"))


def test_each_of_several_errors_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    errors = [NotFoundError("is gone", resource=f'volume "{name}"') for name in "ab"]
    terminal.complain(AggregateError(errors))
    assert capsys.readouterr().err.splitlines() == [
        'pextra: not_found: volume "a": is gone', 'pextra: not_found: volume "b": is gone',
    ]  # fmt: skip


def test_progress_is_a_line_a_step_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = terminal.Shown()
    shown.report(Event("host", 2, 4, "define the pool"))
    shown.close()
    assert capsys.readouterr().err == "[2/4] define the pool\n"


def test_progress_is_one_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    shown = terminal.Shown()
    shown.report(Event("host", 2, 4, "define a pool with a name that is long"))
    shown.close()
    said = capsys.readouterr().err
    assert "\n" not in said
    assert said.startswith("\r\x1b[K[ 25%] define a")
    assert said.endswith("\r\x1b[K")
    assert max(len(part) for part in said.split("\r\x1b[K")) < 20


def test_a_run_that_is_asked_to_stop_begins_no_other_step() -> None:
    class Stopper(Progress):
        begun = 0

        def report(self, event: Event) -> None:
            self.begun += 1

        def stopping(self) -> bool:
            return self.begun > 0

    follow = Stopper()
    begin(follow, Event("host", 1, 2, "first"))
    with pytest.raises(CancelledError, match="before step 2 of 2: second"):
        begin(follow, Event("host", 2, 2, "second"))
    assert follow.begun == 1


def test_secrets_are_masked_wherever_they_show_up() -> None:
    masked = masking(find("user"), {"username": "ann", "password": "hush-hush"})
    value = {"a": ["hush-hush", 1, True, None], "b": {"c": "it is hush-hush."}, "d": "hush"}
    assert masked(value) == {
        "a": ["********", 1, True, None], "b": {"c": "it is ********."}, "d": "hush",
    }  # fmt: skip


def test_a_process_is_known_from_those_that_had_its_number() -> None:
    mark = process.mark()
    assert process.alive(mark)
    boot, pid, started = mark.split("/")
    assert not process.alive(f"{boot}/{pid}/{int(started) + 1}")
    assert not process.alive(f"other-boot/{pid}/{started}")
    child = subprocess.Popen(["sleep", "60"])
    there = f"{boot}/{child.pid}/{process._started(child.pid)}"
    assert process.alive(there)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.alive(there), "one that nobody waited for is gone, too"
    child.wait()
    assert not process.alive(there)


def test_options_come_from_a_file_or_in_place(tmp_path: Path) -> None:
    file = tmp_path / "options.json"
    file.write_text(json.dumps({"name": "a"}))
    assert main._options(str(file)) == main._options('{"name": "a"}') == {"name": "a"}
