"""The plain prompts: the same pages and the same plan, line by line."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from pextra_installer import plain
from pextra_installer.answers import files
from pextra_installer.execute.progress import Progress
from pextra_installer.execute.variables import Image
from pextra_installer.plan import Plan
from pextra_installer.problems import InstallerError
from pextra_installer.session import Session

from .test_hardware import MACHINE

NETWORK = [""] * 12
BEFORE_DISK = ["2", *NETWORK, "", "", "node1", "Example", "", "", ""]


def play(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], failures: int = 0
) -> tuple[int, list[Plan]]:
    """Answer with lines; the installation itself fails so often, then is done."""
    begun: list[Plan] = []
    left = iter(lines)

    def install(_self: Session, plan: Plan, tell: Callable[[Progress], None]) -> None:
        begun.append(plan)
        tell(Progress())
        if len(begun) <= failures:
            raise InstallerError("the disk went away")

    monkeypatch.setattr(Session, "install", install)
    session = Session(MACHINE, Image(tmp_path / "image", "0" * 64), tmp_path)
    code = plain.run(session, lambda _prompt: next(left), lambda _prompt: "correct horse battery")
    assert next(left, None) is None, "not every line was asked for"
    return code, begun


def test_lines_lead_to_the_plan(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, begun = play(tmp_path, monkeypatch, [*BEFORE_DISK, "2", "1", "erase"])
    assert code == 0
    assert begun[0].disk.match[0].by_id == "ata-Samsung_SSD_870_EVO_500GB_S62ANJ0R100001"
    assert begun[0].network.interface == "enp1s0"
    assert begun[0].when_done.value == "stay"
    text = files.render(begun[0], files.Format.YAML).encode()
    assert files.parse(text, files.Format.YAML, "saved") == begun[0]


def test_back_and_wrong_answers_ask_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "1", "9", "2", "<", "2", *NETWORK, "PCE1.x", "", "-", "", "node 1", "Example", "", "",
        "node1", "", "", "", "", "2", "1", "no", "",
    ]  # fmt: skip
    again = [*NETWORK, "", "", "", "", "", "", "", "", "", "erase"]
    code, begun = play(tmp_path, monkeypatch, [*lines, *again])
    shown = capsys.readouterr().out
    assert (code, len(begun)) == (0, 1)
    assert "agreement: it is missing" in shown
    assert "Give a number from 1 to 2" in shown
    assert "this is not a licence key" in shown
    assert "'node 1' is not a host name" in shown


def test_after_a_failure_one_can_retry_or_quit_with_an_error(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*BEFORE_DISK, "2", "1", "erase"]
    assert play(tmp_path, monkeypatch, [*lines, "retry"], 1)[0] == 0
    code, begun = play(tmp_path, monkeypatch, [*lines, "retry", "support", "quit"], 9)
    assert (code, len(begun)) == (6, 2)
    assert (tmp_path / "pextra-support.tar.gz").is_file()
