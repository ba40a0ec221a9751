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
from pextra.host.network import hook
from pextra.host.network.policy import NAMESPACE
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


MISSING = "import sys; sys.modules['pextra'] = None"
PACKAGE = Path(hook.__file__).parents[3]
OURS = f'''
<domain><metadata><ce:instance xmlns:ce="{NAMESPACE}" id="inst-x">{{}}</ce:instance></metadata>
<devices><interface type="bridge"><mac address="52:54:00:00:00:01"/>
<source bridge="br-none"/><target dev="tap-none"/></interface></devices></domain>
'''
CLOSED = OURS.format('<ce:port mac="52:54:00:00:00:01" vlan="7"/>')
FOREIGN = "<domain><devices><interface type='bridge'/></devices></domain>"


def started(root: str, definition: str, before: str) -> subprocess.CompletedProcess[str]:
    """What libvirt is told of a domain that is about to start; nothing is in the environment."""
    text = Path(root + node_files.HOOKS[0]).read_text()
    assert text.startswith("#!/usr/bin/python3 -I\n")
    argv = [sys.executable, "-I", "-c", f"{before}\n{text}", "guest", "start", "begin"]
    return subprocess.run(
        argv, input=definition, capture_output=True, text=True, check=False, cwd="/", env={}
    )


@pytest.mark.parametrize("definition", [FOREIGN, OURS.format("")], ids=["foreign", "open"])
@pytest.mark.parametrize("package", [f"import sys; sys.path.insert(0, {str(PACKAGE)!r})", MISSING])
def test_what_asks_for_no_closed_ports_starts(root: str, definition: str, package: str) -> None:
    done = started(root, definition, package)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_hook_closes_ports_with_the_packages_code(root: str) -> None:
    done = started(root, CLOSED, f"import sys; sys.path.insert(0, {str(PACKAGE)!r})")
    assert done.returncode == 1
    assert "the ports of guest cannot be closed: " in done.stderr
    assert "br-none" in done.stderr
    assert "python3-pextra" not in done.stderr


def test_what_asks_for_closed_ports_does_not_start_without_the_package(root: str) -> None:
    done = started(root, CLOSED, MISSING)
    assert done.returncode == 1
    assert "the ports of guest cannot be closed" in done.stderr
    assert "Install the package python3-pextra" in done.stderr


def test_the_library_of_an_earlier_version_goes(root: str) -> None:
    library = Path(root + node_files.LIBRARY)
    (library / "pextra").mkdir(parents=True)
    (library / "pextra/hook.py").write_text("")
    assert node_files.outdated(root) == [node_files.LIBRARY, "/usr/lib/pextra-ce"]
    (library.parent / "venv").mkdir()
    assert node_files.outdated(root) == [node_files.LIBRARY]
    for path in node_files.outdated(root):
        node_files.remove(root, path)
    assert os.listdir(library.parent) == ["venv"]
    assert node_files.outdated(root) == []


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
    other = Path(root + "/etc/libvirt/hooks/qemu.d/10-others")
    other.write_text("#!/bin/sh\n")
    package = Path(root + "/usr/lib/pextra-ce/venv")
    package.mkdir(parents=True)
    for path in node_files.left(root):
        node_files.remove(root, path)
    assert kept.read_text() == "key"
    assert os.listdir(root + "/usr/lib/pextra-ce") == ["venv"]
    assert not any(os.path.exists(root + path) for path in (*node_files.FILES, *node_files.HOOKS))
    assert [path for path in node_files.DIRECTORIES if os.path.exists(root + path)] == [
        "/etc/pextra-ce", "/etc/pextra-ce/license-keys.d"
    ]  # fmt: skip
    assert os.listdir(root + "/etc/libvirt/hooks") == ["qemu.d"]
    assert other.exists()
    kept.unlink()
    other.unlink()
    package.rmdir()
    package.parent.rmdir()
    for path in node_files.left(root):
        node_files.remove(root, path)
    assert not any(os.path.exists(root + path) for path in node_files.DIRECTORIES)
    assert os.listdir(root + "/etc/libvirt/hooks") == []
