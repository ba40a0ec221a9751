# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers from archives: what is unpacked, what is refused, and that nothing is left half done.

Whether a container runs is tested on a node of the lab: molecule/instances.
"""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import (
    Args,
    Node,
    kill_points,
    run,
    succeeded,
)

LXC = "lxc:///system"


@pytest.fixture(name="node")
def node_with_containers(make_lab: Callable[..., Node]) -> Iterator[Node]:
    """A node whose containers are gone afterwards."""
    made = make_lab(Node)
    made.run("vswitch", name=made.vswitch)
    made.run("port_group", name="lan", vswitch=made.vswitch)
    try:
        yield made
    finally:
        for name in made.virsh("list", "--all", "--name", uri=LXC).split():
            if name.startswith(made.prefix):
                made.virsh_quietly("destroy", name, uri=LXC)
                made.virsh_quietly("undefine", name, uri=LXC)


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o755
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


INIT = member("./sbin/init", b"#!/bin/sh\n")


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    """An archive with these members."""
    with tarfile.open(path, mode) as opened:  # type: ignore[call-overload]
        for info, content in members:
            opened.addfile(info, io.BytesIO(content))
    return path


def container(node: Node, path: Path, **more: object) -> Args:
    """Options of a container from an archive."""
    return {
        "name": node.name("ct"), "type": "lxc", "memory": "64MiB", "rootfs_archive": str(path),
        **more,
    }  # fmt: skip


def containers(node: Node) -> list[str]:
    """What is in the directory of root file systems."""
    top = Path(node.directories[0], "containers")
    return sorted(os.listdir(top)) if top.exists() else []


def compressed(path: Path, kind: str) -> Path:
    """The archive in another format."""
    if kind == "tar":
        return path
    run(*{"gzip": ("gzip", "-k"), "zst": ("zstd", "-q", "-k")}[kind], str(path))
    return path.with_name(path.name + {"gzip": ".gz", "zst": ".zst"}[kind])


@pytest.mark.parametrize("kind", ["tar", "gzip", "zst"])
def test_container_gets_a_root_of_its_own_with_owners_and_modes(node: Node, kind: str) -> None:
    path = archive(
        node.directory / "root.tar",
        INIT,
        member("./bin/su", b"x", mode=0o4755),
        member("./home/ann/file", b"hers", uid=1000, gid=1001, uname="root", gname="root"),
        member("./bin/sh", type=tarfile.SYMTYPE, linkname="/bin/busybox"),
        member("./dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        member("./dev/pts", type=tarfile.DIRTYPE),
        member("./srv/disk", type=tarfile.BLKTYPE, devmajor=8, devminor=0),
        member("./srv/tty", type=tarfile.CHRTYPE, devmajor=4, devminor=0),
    )
    options = container(
        node, compressed(path, kind), networks=[{"name": "net0", "port_group": "lan"}]
    )
    said = node.run("instance", check=True, **options)
    assert containers(node) == []
    done = node.run("instance", **options)
    assert said.actions == done.actions
    assert "instance unpack" in done.actions
    instance = done["instance"]
    root = Path(instance["rootfs"])
    assert containers(node) == [instance["id"]]
    assert stat.S_IMODE(root.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o4755
    owner = (root / "home/ann/file").stat()
    assert (owner.st_uid, owner.st_gid) == (1000, 1001)
    assert (root / "bin/sh").readlink() == Path("/bin/busybox")
    assert sorted(os.listdir(root / "srv")) == []
    assert not (root / "dev/null").exists()
    assert str(root) in node.virsh("dumpxml", node.name("ct"), uri=LXC)
    (root / "srv/mine").write_text("kept")
    path.unlink()
    assert not node.run("instance", **options).changed
    assert node.run("instance", name=node.name("ct"), memory="96MiB").changed
    assert (root / "srv/mine").read_text() == "kept"


def test_root_goes_with_the_container_only_if_that_is_said(node: Node) -> None:
    options = container(node, archive(node.directory / "root.tar", INIT))
    node.run("instance", **options)
    result = node.refused("instance", name=node.name("ct"), state="absent")
    assert "destroy_volumes=true" in result.message
    node.run("instance", name=node.name("ct"), state="absent", destroy_volumes=True)
    assert containers(node) == []
    assert not node.run("instance", name=node.name("ct"), state="absent").changed


def test_root_that_is_gone_is_not_made_anew(node: Node) -> None:
    options = container(node, archive(node.directory / "root.tar", INIT))
    root = Path(node.run("instance", **options)["instance"]["rootfs"])
    away = root.rename(node.directory / "away")
    result = node.refused("instance", **options)
    assert "root file system is missing" in result.message
    away.rename(root)
    assert not node.run("instance", **options).changed


HOSTILE: dict[str, Callable[[Path], list[tuple[tarfile.TarInfo, bytes]]]] = {
    "above": lambda victim: [member(f"./../{victim.name}", b"owned")],
    "absolute": lambda victim: [member(str(victim), b"owned")],
    "through a link": lambda victim: [
        member("./out", type=tarfile.SYMTYPE, linkname=str(victim.parent)),
        member(f"./out/{victim.name}", b"owned"),
    ],
    "through a relative link": lambda victim: [
        member("./out", type=tarfile.SYMTYPE, linkname="../../.."),
        member(f"./out/{victim.name}", b"owned"),
    ],
    "by a hard link": lambda victim: [
        member("./link", type=tarfile.LNKTYPE, linkname=str(victim)),
        member("./link", b"owned"),
    ],
}


@pytest.mark.parametrize("how", HOSTILE)
def test_archive_writes_nothing_outside_of_its_root(node: Node, how: str) -> None:
    victim = node.file("victim", b"intact")
    near = Path(node.directories[0], "containers", "victim")
    near.parent.mkdir(parents=True)
    near.write_bytes(b"intact")
    path = archive(node.directory / "root.tar", INIT, *HOSTILE[how](victim))
    result = node.task("instance", container(node, path))
    assert victim.read_bytes() == near.read_bytes() == b"intact"
    if result.failed:
        assert result.code == "host"
        assert containers(node) == ["victim"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no archive at all", "is no tar archive"),
        (b"", "is no tar archive"),
        (b"\x1f\x8bdamaged", "tar failed"),
        (b"\x28\xb5\x2f\xfddamaged", "tar failed"),
    ],
)
def test_what_is_no_whole_archive_is_refused(node: Node, content: bytes, text: str) -> None:
    path = node.file("root.tar", content)
    result = node.task("instance", container(node, path))
    assert text in result.message
    assert containers(node) == []


def test_archive_that_ends_too_early_or_has_no_init_leaves_nothing(node: Node) -> None:
    whole = archive(node.directory / "root.tar", INIT, member("./big", os.urandom(1 << 20)))
    cut = node.file("cut.tar", whole.read_bytes()[: 1 << 19])
    result = node.task("instance", container(node, cut))
    assert "tar failed" in result.message
    empty = archive(node.directory / "empty.tar", member("./etc/passwd", b"root"))
    result = node.task("instance", {**container(node, empty), "name": node.name("other")})
    assert "no /sbin/init" in result.message
    assert containers(node) == []
    node.run("instance", name=node.name("other"), state="absent")


def test_bad_combinations_are_refused(node: Node) -> None:
    path = archive(node.directory / "root.tar", INIT)
    both = container(node, path, rootfs=str(node.directory))
    assert "not both" in node.refused("instance", **both).message
    machine = {"name": node.name("vm"), "memory": 32, "rootfs_archive": str(path)}
    assert "rootfs_archive is for containers" in node.refused("instance", **machine).message
    missing = container(node, Path("/nonexistent.tar"))
    assert "/nonexistent.tar does not exist" in node.refused("instance", **missing).message
    given = container(node, path, devices=[{"name": "rng0", "type": "rng"}])
    assert "no devices" in node.refused("instance", **given).message


def test_disk_that_is_full_leaves_nothing_half_unpacked(node: Node) -> None:
    small = node.mount("lib", 4)
    path = archive(node.directory / "root.tar", INIT, member("./big", os.urandom(8 << 20)))
    result = node.task("instance", container(node, path))
    assert result.failed
    assert "Free space" in result.message
    assert containers(node) == []
    assert small.is_mount()


def test_creation_and_removal_killed_anywhere_are_finished_by_the_next_run(node: Node) -> None:
    path = archive(node.directory / "root.tar", INIT, member("./etc/motd", b"hello"))
    options = container(node, path)
    ended = {"name": node.name("ct"), "state": "absent", "destroy_volumes": True}
    for at in kill_points():
        made = node.task("instance", options, die_at=at)
        done = node.run("instance", **options)
        root = Path(done["instance"]["rootfs"])
        where = f"killed at point {at}: {made.raw['points'][-1:]}"
        assert containers(node) == [root.name], where
        assert (root / "etc/motd").read_bytes() == b"hello", where
        assert not node.run("instance", **options).changed, where
        gone = node.task("instance", ended, die_at=at)
        finished = node.run("instance", **ended)
        where = f"{at}: removal killed at {gone.raw['points']}, then {finished.actions}"
        assert containers(node) == [], where
        assert node.sql("SELECT id FROM instances") == [], where
        if made.raw["signal"] is None and gone.raw["signal"] is None:
            succeeded(made)
            assert at > 8
            return


def test_tar_that_is_used_here_is_the_one_of_debian() -> None:
    assert "GNU tar" in subprocess.run(
        ["tar", "--version"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
