"""Answers that are there while the wizard was started."""

from __future__ import annotations

import os
import pathlib
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from pextra_installer import cli, countdown
from pextra_installer.answers import sources
from pextra_installer.hardware.model import Content, Disk


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A keyboard, and the terminal that it is at."""
    keyboard, name = pty.openpty()
    with os.fdopen(name, "r") as typed:
        yield keyboard, typed
    os.close(keyboard)


def test_it_runs_out_where_nobody_is(
    terminal: tuple[int, TextIO], tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert countdown.run_out("a volume", tmp_path, 1, terminal[1])
    said = capsys.readouterr().out
    assert "Answers were found: a volume" in said
    assert "begins in  1 s. Press a key for the wizard" in said


def test_a_key_keeps_it_from_beginning_for_good(
    terminal: tuple[int, TextIO], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyboard, typed = terminal
    # What was typed before does not count: the key comes once it is counted.
    monkeypatch.setattr("builtins.print", lambda *_words, **_more: os.write(keyboard, b" "))
    assert not countdown.run_out("a volume", tmp_path / "state", 60, typed)
    monkeypatch.undo()
    assert not countdown.run_out("a volume", tmp_path / "state", 60, typed)


def test_a_machine_that_is_a_node_already_is_not_installed_by_itself(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Content(path="/dev/sda2", kind="part", size=1, file_system="ext4", label="pextra-root")
    other = Content(path="/dev/sda2", kind="part", size=1, file_system="ext4", label="root")
    disks = {
        content: (Disk(path="/dev/sda", size=9, contents=(content,)),) for content in (root, other)
    }
    assert countdown.is_node(disks[root])
    assert not countdown.is_node(disks[other])
    assert not countdown.is_node([])
    monkeypatch.setattr(countdown, "run_out", lambda *_arguments: pytest.fail("it counts down"))
    monkeypatch.setattr("pextra_installer.hardware.probe.read_disks", lambda: disks[root])
    found = sources.Found("a volume", b"version: 1\n", sources.files.Format.YAML)
    monkeypatch.setattr(sources, "attached", lambda: found)
    cli._give_way(cli._parser().parse_args(["wizard", "--state", str(tmp_path)]))


def test_answers_are_looked_for_on_volume_and_medium(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answers.yaml").write_text("version: 1\n")
    monkeypatch.setattr(sources, "MEDIUM", (tmp_path,))
    monkeypatch.setattr(sources, "_labelled", list)
    found = sources.attached()
    assert found is not None
    assert found.source == str(tmp_path / "answers.yaml")


def test_answers_that_are_no_good_lead_to_the_wizard(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(countdown, "run_out", lambda *_arguments: True)
    monkeypatch.setattr("pextra_installer.hardware.probe.read_disks", tuple)
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "")
    found = sources.Found("a volume", b"version: 1\n", sources.files.Format.YAML)
    monkeypatch.setattr(sources, "attached", lambda: found)
    cli._give_way(cli._parser().parse_args(["wizard", "--state", str(tmp_path)]))
    assert "a volume: 5 errors" in capsys.readouterr().err
    assert asked == ["Press Enter for the wizard. "]
