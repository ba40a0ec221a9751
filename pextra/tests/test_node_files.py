# SPDX-License-Identifier: Apache-2.0
"""The platform's files on a node, below a root directory of the test's own."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pextra.host import files, node_files
from pextra.model.errors import HostError


@pytest.fixture
def root(tmp_path: Path) -> str:
    for entry in node_files.missing(str(tmp_path)):
        files.make(str(tmp_path), entry)
    return str(tmp_path)


def mode_of(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_everything_is_made_once(root: str) -> None:
    assert node_files.missing(root) == []
    for path, mode in node_files.DIRECTORIES.items():
        assert mode_of(root + path) == mode
    for path in node_files.HOOKS:
        assert mode_of(root + path) == 0o755
    for path in node_files.FILES:
        assert mode_of(root + path) == 0o644


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: os.chmod(path, 0o600),
        lambda path: Path(path).write_text("#!/bin/false\n"),
        os.unlink,
    ],
    ids=["mode", "contents", "gone"],
)
def test_a_spoiled_hook_is_put_right(root: str, spoil: object) -> None:
    hook = node_files.HOOKS[0]
    spoil(root + hook)  # type: ignore[operator]
    found = node_files.missing(root)
    assert [entry.path for entry in found] == [hook]
    files.make(root, found[0])
    assert node_files.missing(root) == []


def test_the_hook_finds_all_of_its_code_in_the_library(root: str) -> None:
    """Without the collection in reach: the library alone, as on a node."""
    program = Path(root + node_files.HOOKS[0]).read_text()
    library = root + node_files.LIBRARY
    alone = program.replace(f'"{node_files.LIBRARY}"', repr(library))
    assert alone != program
    argv = [sys.executable, "-I", "-c", alone, "guest", "start", "begin"]
    done = subprocess.run(
        argv, input="<domain/>", capture_output=True, text=True, check=False, cwd="/"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_in_a_directorys_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/pextra-ce").write_text("mine")
    entry = next(one for one in node_files.missing(str(tmp_path)) if one.path == "/etc/pextra-ce")
    with pytest.raises(HostError, match="cannot be made"):
        files.make(str(tmp_path), entry)
    assert (tmp_path / "etc/pextra-ce").read_text() == "mine"


def test_removal_leaves_what_is_not_the_platforms(root: str) -> None:
    kept = Path(root + "/etc/pextra-ce/license-keys.d/mine.pem")
    kept.write_text("key")
    package = Path(root + "/usr/lib/pextra-ce/venv")
    package.mkdir()
    for path in node_files.left(root):
        node_files.remove(root, path)
    assert kept.read_text() == "key"
    assert os.listdir(root + "/usr/lib/pextra-ce") == ["venv"]
    assert not any(os.path.exists(root + path) for path in (*node_files.FILES, *node_files.HOOKS))
    assert [path for path in node_files.DIRECTORIES if os.path.exists(root + path)] == [
        "/etc/pextra-ce", "/etc/pextra-ce/license-keys.d"
    ]  # fmt: skip
    kept.unlink()
    package.rmdir()
    for path in node_files.left(root):
        node_files.remove(root, path)
    there = [path for path, _folders, _files in os.walk(root + "/usr/lib") if "pextra" in path]
    assert there == []
    assert not any(os.path.exists(root + path) for path in node_files.DIRECTORIES)
