"""What an unattended installation says is on every console."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from pextra_installer import cli, consoles
from pextra_installer.problems import InstallerError


@pytest.fixture
def active(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The file that names the consoles, which are files beside it."""
    path = tmp_path / "active"
    path.write_text("tty0 ttyS0\n")
    monkeypatch.setattr(consoles, "ACTIVE", path)
    monkeypatch.setattr(consoles, "DEVICES", tmp_path)
    return path


def test_every_console_has_output_and_errors(
    active: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with consoles.everywhere():
        print("one")
        print("two", file=sys.stderr)
    print("three")
    assert (tmp_path / "tty0").read_text() == (tmp_path / "ttyS0").read_text() == "one\ntwo\n"
    assert capsys.readouterr() == ("one\nthree\n", "two\n")


def test_a_console_that_cannot_be_written_to_or_is_not_there_stops_nothing(
    active: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    active.write_text("ttyS0 none/ttyS1 tty0\n")
    os.symlink("/dev/full", tmp_path / "ttyS0")
    with consoles.everywhere():
        print("one")
        print("two")
    assert (tmp_path / "tty0").read_text() == "one\ntwo\n"
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_command_that_fails_says_why_on_every_console(
    active: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find() -> None:
        raise InstallerError("no luck today")

    monkeypatch.setattr("pextra_installer.answers.sources.find", find)
    assert cli.main(["auto", "--consoles"]) == 1
    assert (tmp_path / "tty0").read_text() == "pextra-installer: no luck today\n"
