# SPDX-License-Identifier: Apache-2.0
"""Files of a system below a directory of the test's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pextra.calls import system
from pextra.host import files
from pextra.host.files import Entry
from pextra.model.errors import HostError, InputError


def put(root: Path, *entries: Entry) -> list[str]:
    """Make what is missing; returns what that was."""
    lacking = files.missing(str(root), entries)
    for entry in lacking:
        files.make(str(root), entry)
    return [entry.path for entry in lacking]


WANTED = (
    Entry("/etc/hostname", 0o644, "node1\n"),
    Entry("/etc/secret", 0o600, "key\n"),
    Entry("/etc/localtime", 0o644, link="/usr/share/zoneinfo/Etc/UTC"),
    Entry("/var/log/of/installer", 0o700),
)


def test_files_links_and_directories_are_made_once(tmp_path: Path) -> None:
    assert put(tmp_path, *WANTED) == [entry.path for entry in WANTED]
    assert put(tmp_path, *WANTED) == []
    assert (tmp_path / "etc/hostname").read_text() == "node1\n"
    assert os.readlink(tmp_path / "etc/localtime") == "/usr/share/zoneinfo/Etc/UTC"
    paths = ("etc/hostname", "etc/secret", "var/log/of", "var/log/of/installer")
    found = {path: stat.S_IMODE((tmp_path / path).stat().st_mode) for path in paths}
    assert list(found.values()) == [0o644, 0o600, 0o755, 0o700]


def test_directories_above_are_for_all_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        put(tmp_path, Entry("/a/b/c", 0o644, "x"))
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o755


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").symlink_to(tmp_path / "other")
    assert put(tmp_path, WANTED[0]) == ["/etc/hostname"]
    assert (tmp_path / "other").read_text() == "kept"
    assert not (tmp_path / "etc/hostname").is_symlink()


def test_what_a_killed_run_left_beside_a_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname.new").write_text("half")
    (tmp_path / "etc/localtime.new").symlink_to("half")
    put(tmp_path, *WANTED)
    assert sorted(os.listdir(tmp_path / "etc")) == ["hostname", "localtime", "secret"]


def test_a_link_out_of_the_system_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "file").write_text("mine")
    (root / "run").symlink_to(outside)
    with pytest.raises(HostError, match="out of"):
        files.make(str(root), Entry("/run/file", 0o644, "theirs"))
    with pytest.raises(HostError, match="out of"):
        files.make(str(root), Entry("/run/new/file", 0o644, "theirs"))
    with pytest.raises(HostError, match="out of"):
        files.remove(str(root), "/run/file")
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "mine"


def test_a_link_within_the_system_is_followed(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    put(tmp_path, Entry("/lib/file", 0o644, "x"))
    assert (tmp_path / "usr/lib/file").read_text() == "x"


def test_a_directory_in_a_files_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "etc/hostname/inner").mkdir(parents=True)
    with pytest.raises(HostError, match="cannot be made"):
        put(tmp_path, WANTED[0])
    assert (tmp_path / "etc/hostname/inner").is_dir()


def test_what_patterns_fit_is_surplus_unless_it_is_wanted(tmp_path: Path) -> None:
    root = tmp_path / "a[b]"
    units = [Entry(f"/net/10-{name}.network", 0o644, "x") for name in ("old", "new")]
    put(root, *units, Entry("/net/20-other.network", 0o644, "x"))
    found = files.surplus(str(root), ["/net/10-*", "/nowhere/*"], units[1:])
    assert found == ["/net/10-old.network"]
    files.remove(str(root), found[0])
    assert sorted(os.listdir(root / "net")) == ["10-new.network", "20-other.network"]


def test_options_name_files_links_and_directories() -> None:
    nothing = {"content": None, "link": None, "mode": None}
    assert [
        system.entry({**nothing, "path": "/a", "content": ""}),
        system.entry({**nothing, "path": "/b", "link": "a"}),
        system.entry({**nothing, "path": "/c"}),
        system.entry({**nothing, "path": "/d", "mode": "0700"}),
    ] == [
        Entry("/a", 0o644, ""),
        Entry("/b", 0o644, link="a"),
        Entry("/c", 0o755),
        Entry("/d", 0o700),
    ]


@pytest.mark.parametrize(
    ("path", "mode"),
    [("etc", None), ("/etc/../a", None), ("/a//b", None), ("/a/", None), ("/a\0", None),
     ("/a", "rw"), ("/a", "-1"), ("/a", "17777")],
)  # fmt: skip
def test_paths_and_modes_that_are_none_are_refused(path: str, mode: str | None) -> None:
    with pytest.raises(InputError):
        system.entry({"path": path, "content": "x", "link": None, "mode": mode})
