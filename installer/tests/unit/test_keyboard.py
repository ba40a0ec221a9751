"""Keyboard layouts: what the node's console is told of one."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

from pextra_installer import keyboard

RULES = pathlib.Path("/usr/share/X11/xkb/rules/base.lst")


@pytest.mark.parametrize("layout", keyboard.LAYOUTS)
def test_the_settings_are_a_shell_s_as_setupcon_reads_them(
    tmp_path: pathlib.Path, layout: str
) -> None:
    path = tmp_path / "keyboard"
    path.write_text(keyboard.settings(layout))
    argv = ["sh", "-euc", '. "$1"; echo "$XKBMODEL $XKBLAYOUT$XKBVARIANT$XKBOPTIONS"', "sh", path]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == f"pc105 {layout}\n"


@pytest.mark.skipif(not RULES.exists(), reason="needs Debian's xkb-data")
def test_every_layout_is_one_of_xkb_s() -> None:
    part = RULES.read_text().partition("! layout\n")[2].partition("\n! ")[0]
    assert set(keyboard.LAYOUTS) <= {line.split()[0] for line in part.splitlines() if line.strip()}


def test_nothing_is_touched_where_the_terminal_is_no_screen(tmp_path: pathlib.Path) -> None:
    keyboard.take("de", tmp_path / "keyboard")
    assert not (tmp_path / "keyboard").exists()
