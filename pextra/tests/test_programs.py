# SPDX-License-Identifier: Apache-2.0
"""Programs are found with the PATH that `su` leaves to root, and are run as we read them."""

from __future__ import annotations

import os
import shutil

import pytest

from pextra.host import programs
from pextra.host.machine import Host
from pextra.host.pools import commands


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "", "/usr/local/bin:/usr/bin:/usr/games"])
def test_the_administrators_programs_are_found(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path)
    Host()
    assert shutil.which("runuser") == "/usr/sbin/runuser"


def test_what_the_user_prefers_still_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/opt/mine:/usr/sbin:/usr/bin")
    programs.reach()
    programs.reach()
    assert os.environ["PATH"] == "/opt/mine:/usr/sbin:/usr/bin:/usr/local/sbin:/sbin"


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_path_programs_are_found(
    monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    programs.reach()
    assert shutil.which("runuser") == "/usr/sbin/runuser"
    assert shutil.which("cat") is not None


def test_programs_of_storage_speak_no_language_and_are_asked_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LC_ALL", "LC_NUMERIC", "LANG"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    said = commands.run("coreutils", "env").splitlines()
    assert [line for line in said if line.startswith(("LC_", "LANG"))] == ["LC_ALL=C"]
    assert commands.run("coreutils", "cat") == ""
