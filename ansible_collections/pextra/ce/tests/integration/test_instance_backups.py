# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of instances: what is in them, what comes back, and what damage does."""

from __future__ import annotations

import io
import json
import platform
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.guest import READY
from ansible_collections.pextra.ce.tests.integration.lab import Args, Node, kill_points, run

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the guest's boot sector is one of a PC"
)
WAITED = {"wait_console": READY, "timeout": 60}


def vm(node: Node) -> str:
    """The name of the instance."""
    return node.name("vm")


def guest(node: Node, **more: object) -> Args:
    """An instance with two volumes, one of each format, and devices."""
    entry = node.guest(vm(node), **more)
    data = node.volume("data", bus="scsi", device_name="data", read_only=True)
    devices = [{"name": "drive", "type": "cdrom"}, {"name": "rng0", "type": "rng"}]
    more_options = {"cloud_init": {"user_data": "#cloud-config\npassword: s3cr3t\n"}}
    return {**entry, "volumes": [*entry["volumes"], data], "devices": devices, **more_options}


def written(node: Node, pattern: str = "7") -> None:
    """Write to the second volume of a stopped instance."""
    path = str(node.image_of("data"))
    run("qemu-io", "-f", "qcow2", "-c", f"write -P {pattern} 512k 64k", path)


def reads(node: Node, volume: str, pattern: str = "7") -> bool:
    """Whether that is in a volume."""
    path = str(node.image_of(volume))
    text = run("qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {pattern} 512k 64k", path)
    return "Pattern verification failed" not in text


def same_root(node: Node, one: str, other: str) -> bool:
    """Whether two raw volumes have the same content."""
    return node.image_of(one).read_bytes() == node.image_of(other).read_bytes()


def backup(node: Node, **more: object) -> Args:
    """Options of the backup."""
    return {"instance": vm(node), "path": str(node.directory / "vm.tar"), **more}


def restored(node: Node, name: str | None = None, **more: object) -> Args:
    """Options of restoring it."""
    named = {"name": name} if name else {}
    return {"path": str(node.directory / "vm.tar"), "state": "restored", **named, **more}


def left(node: Node) -> list[str]:
    """What is left of copies and of files that were not finished."""
    staging = Path(node.directories[0], "staging")
    found = [*node.directory.glob("*.unfinished"), *node.directory.glob("*.progress")]
    return sorted(str(path) for path in [*found, *(staging.iterdir() if staging.exists() else ())])


def test_backup_of_a_stopped_instance_is_restored_under_another_name(node: Node) -> None:
    made = node.run("instance", **guest(node))["instance"]
    written(node)
    said = node.run("instance_backup", check=True, **backup(node))
    assert not Path(backup(node)["path"]).exists()
    done = node.run("instance_backup", **backup(node))
    assert said["plan"] == done["plan"]
    assert "s3cr3t" not in done.text
    path = Path(backup(node)["path"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not node.run("instance_backup", **backup(node)).changed
    other = node.name("other")
    said = node.run("instance_backup", check=True, **restored(node, other))
    assert node.sql("SELECT id FROM instances WHERE name = %s", other) == []
    done = node.run("instance_backup", **restored(node, other))
    assert "s3cr3t" not in done.text
    assert said.actions == done.actions
    copy = done["instance"]
    assert [item["name"] for item in copy["volumes"]] == [f"{other}-data", f"{other}-root"]
    assert reads(node, f"{other}-data")
    assert same_root(node, f"{vm(node)}-root", f"{other}-root")
    for key in ("cpu", "memory", "chipset", "firmware", "autostart", "boot_order"):
        assert copy[key] == made[key]
    assert [item["type"] for item in copy["devices"]] == ["cdrom", "rng"]
    assert copy["volumes"][0]["read_only"]
    assert copy["networks"][0]["mac"] != made["networks"][0]["mac"]
    (seed,) = Path(node.directory, "lib/seeds").glob(f"{copy['id']}-*.iso")
    assert b"s3cr3t" in seed.read_bytes()
    assert not node.run("instance_backup", **restored(node, other)).changed
    assert copy["restored_from"] == done["instance_backup"]["id"]
    assert left(node) == []
    node.run("instance", name=other, state="started", **WAITED)


def test_backup_can_be_read_without_the_platform(node: Node, tmp_path: Path) -> None:
    node.run("instance", **guest(node))
    node.run("instance_backup", **backup(node))
    run("tar", "-xf", backup(node)["path"], "-C", str(tmp_path))
    run("env", "-C", str(tmp_path), "sha256sum", "--check", "--strict", "SHA256SUMS")
    said = json.loads((tmp_path / "manifest.json").read_text())
    assert said["instance"]["name"] == vm(node)
    run("qemu-img", "check", str(tmp_path / "volumes/0.qcow2"))


def test_backup_of_a_running_instance_is_of_its_moment_and_does_not_disturb_it(
    node: Node,
) -> None:
    node.run("instance", **guest(node))
    written(node)
    node.run("instance", name=vm(node), state="started", **WAITED)
    pid = Path(f"/run/libvirt/qemu/{vm(node)}.pid").read_text()
    made = node.run("instance_backup", **backup(node))["instance_backup"]
    assert made["state"] == "running"
    assert node.running() == [vm(node)]
    assert Path(f"/run/libvirt/qemu/{vm(node)}.pid").read_text() == pid
    node.run("instance_backup", **restored(node, node.name("other")))
    assert reads(node, f"{node.name('other')}-data")
    node.run("instance", name=node.name("other"), state="started", **WAITED)
    assert left(node) == []


def test_instance_that_is_gone_comes_back_in_its_place(node: Node) -> None:
    made = node.run("instance", **guest(node))["instance"]
    written(node)
    node.run("instance_backup", **backup(node))
    result = node.refused("instance_backup", **restored(node))
    assert "did not come from this backup" in result.message
    node.run("instance", name=vm(node), state="absent", destroy_volumes=True)
    again = node.run("instance_backup", **restored(node))["instance"]
    assert again["id"] != made["id"]
    assert [item["mac"] for item in again["networks"]] == [item["mac"] for item in made["networks"]]
    assert reads(node, "data")
    assert not node.run("instance", **guest(node)).changed


def seed(node: Node, name: str, directory: Path) -> dict[str, str]:
    """The files of an instance's seed."""
    path = node.domain(name).find("devices/disk/target[@dev='sdz']/../source").get("file")
    run("xorriso", "-osirrox", "on", "-indev", path, "-extract", "/", str(directory / name))
    return {item.name: item.read_text() for item in (directory / name).iterdir()}


def test_cloud_init_knows_what_comes_back_in_its_place_and_a_copy_is_another(
    node: Node, tmp_path: Path
) -> None:
    mac = "52:54:00:" + ":".join(node.prefix[number : number + 2] for number in (1, 3, 5))
    network = {"version": 2, "ethernets": {"lan": {"match": {"macaddress": mac.upper()}}}}
    first = {"user_data": f"#cloud-config\nbootcmd: [echo {mac}]\n", "network_config": network}
    cards = [{"name": name, "port_group": "lan"} for name in ("wan", "lan")]
    cards[0]["mac"] = mac
    given = {**guest(node), "networks": cards, "cloud_init": first}
    made = node.run("instance", **given)["instance"]
    node.run("instance_backup", **backup(node))
    copy = node.name("copy")
    again = node.run("instance_backup", **restored(node, copy))["instance"]
    assert [item["name"] for item in again["networks"]] == ["wan", "lan"]
    new = again["networks"][0]["mac"]
    assert new not in [item["mac"] for item in made["networks"]]
    files = seed(node, copy, tmp_path)
    assert json.loads(files["meta-data"])["instance-id"] == again["id"]
    lan = json.loads(files["network-config"])["ethernets"]["lan"]
    assert lan == {"match": {"macaddress": new}}
    assert files["user-data"] == f"#cloud-config\nbootcmd: [echo {new}]\n"
    assert not node.run("instance_backup", **restored(node, copy)).changed
    for path in (backup(node)["path"], str(node.directory / "again.tar")):
        node.run("instance", name=vm(node), state="absent", destroy_volumes=True)
        back = node.run("instance_backup", **restored(node, path=path))["instance"]
        assert back["id"] != made["id"]
        run("rm", "-rf", str(tmp_path / vm(node)))
        files = seed(node, vm(node), tmp_path)
        assert json.loads(files["meta-data"])["instance-id"] == made["id"]
        assert json.loads(files["network-config"]) == network
        node.run("instance", **given)
        assert json.loads(seed(node, vm(node), tmp_path)["meta-data"])["instance-id"] == made["id"]
        again_tar = str(node.directory / "again.tar")
        node.run("instance_backup", **backup(node, path=again_tar, force=True))


def test_what_an_earlier_release_took_as_user_data_comes_back(node: Node, tmp_path: Path) -> None:
    node.run("instance", **guest(node))
    node.run("instance_backup", **backup(node))
    path = Path(backup(node)["path"])
    for text, kept in (("no header", "#cloud-config\n{}\n"), ("\n#!/bin/sh\n", "#!/bin/sh\n")):

        def change(said: Args, text: str = text) -> None:
            said["instance"]["cloud_init"] = {"user_data": text}
            said.pop("cloud_init_id", None)

        forged(path, change)
        node.run("instance", name=vm(node), state="absent", destroy_volumes=True)
        node.run("instance_backup", **restored(node))
        files = seed(node, vm(node), tmp_path)
        assert files["user-data"] == kept
        said = json.loads(run("tar", "-xOf", str(path), "manifest.json"))
        assert json.loads(files["meta-data"])["instance-id"] == said["instance_id"]
        run("rm", "-rf", str(tmp_path / vm(node)))


def damaged(path: Path, how: str) -> None:
    """Do this to a backup."""
    data = bytearray(path.read_bytes())
    if how == "a bit":
        data[len(data) // 2] ^= 1
    elif how == "cut":
        del data[len(data) // 2 :]
    elif how == "without its end":
        del data[data.rindex(b"SHA256SUMS") :]
    elif how == "manifest":
        place = data.index(b'"memory": 32')
        data[place : place + 12] = b'"memory": 64'
    elif how == "nothing":
        data = bytearray()
    else:
        data = bytearray(b"no backup at all" * 100)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "how", ["a bit", "cut", "without its end", "manifest", "nothing", "something else"]
)
def test_damaged_backup_is_refused_before_anything_is_changed(node: Node, how: str) -> None:
    node.run("instance", **guest(node))
    node.run("instance_backup", **backup(node))
    damaged(Path(backup(node)["path"]), how)
    before = node.host()
    for check in (True, False):
        result = node.refused("instance_backup", check=check, **restored(node, node.name("other")))
        assert "is damaged, or no backup" in result.message
    assert node.host() == before


def forged(path: Path, change: Callable[[Args], None], extra: str | None = None) -> None:
    """A whole archive with another manifest, and a member more."""
    import hashlib

    with tarfile.open(path) as archive:
        members = {item.name: archive.extractfile(item).read() for item in archive}
    said = json.loads(members["manifest.json"])
    change(said)
    members["manifest.json"] = json.dumps(said).encode()
    sums = members.pop("SHA256SUMS")
    if extra:
        members[extra] = b"owned"
    sums = "".join(f"{hashlib.sha256(v).hexdigest()}  {k}\n" for k, v in members.items()).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in {**members, "SHA256SUMS": sums}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


HOSTILE: dict[str, Callable[[Args], None]] = {
    "name": lambda said: said["instance"].update(name="../../x"),
    "volume": lambda said: said["volumes"][0].update(name="<x/>"),
    "id": lambda said: said.update(id="../../../etc"),
    "pool": lambda said: said["volumes"][0].update(storage_pool="'; DROP TABLE volumes; --"),
    "size": lambda said: said["volumes"][0].update(size=1),
    "memory": lambda said: said["instance"].update(memory="lots"),
    "unknown": lambda said: said["instance"].update(init="/bin/sh"),
    "nothing": lambda said: said.pop("volumes"),
    "future": lambda said: said.update(format=99),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_manifest_is_checked_like_a_users_options(node: Node, how: str) -> None:
    node.run("instance", **guest(node))
    node.run("instance_backup", **backup(node))
    path = Path(backup(node)["path"])
    forged(path, HOSTILE[how])
    name = None if how == "name" else node.name("other")
    result = node.refused("instance_backup", **restored(node, name))
    assert result["errors"]
    assert left(node) == []


def test_archive_with_more_in_it_is_refused(node: Node) -> None:
    node.run("instance", **guest(node))
    node.run("instance_backup", **backup(node))
    forged(Path(backup(node)["path"]), lambda _said: None, "../../escaped")
    result = node.refused("instance_backup", **restored(node, node.name("other")))
    assert "does not belong there" in result.message
    assert not list(node.directory.parent.glob("escaped"))


def test_what_cannot_be_is_refused(node: Node) -> None:
    node.run("instance", **guest(node))
    path = str(node.directory / "x.tar")
    assert "instance must be given" in node.refused("instance_backup", path=path).message
    assert node.refused("instance_backup", path=path, instance="nobody").code == "not_found"
    result = node.refused("instance_backup", **backup(node, path="/nonexistent/x.tar"))
    assert "does not exist" in result.message
    result = node.refused("instance_backup", **backup(node, path="relative.tar"))
    assert "absolute path" in result.message
    result = node.refused("instance_backup", **restored(node))
    assert "does not exist on this node" in result.message
    foreign = node.file("vm.tar", b"mine")
    assert node.refused("instance_backup", **backup(node)).failed
    assert foreign.read_bytes() == b"mine"
    node.run("instance_backup", **backup(node, force=True))


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_full_disk_leaves_no_half_backup(node: Node, running: bool) -> None:
    small = node.mount("small", 1)
    node.run("instance", **guest(node))
    run("qemu-io", "-f", "qcow2", "-c", "write -P 9 0 3M", str(node.image_of("data")))
    if running:
        node.run("instance", name=vm(node), state="started", **WAITED)
    result = node.task("instance_backup", backup(node, path=str(small / "vm.tar")))
    assert result.code == "host"
    assert "Free space" in result.message
    assert [path.name for path in small.iterdir()] == ["lost+found"]
    assert left(node) == []
    assert node.running() == ([vm(node)] if running else [])


def test_backup_killed_anywhere_is_whole_or_not_there(node: Node) -> None:
    node.run("instance", **guest(node, state="started", **WAITED))
    path = Path(backup(node)["path"])
    for at in kill_points():
        result = node.task("instance_backup", backup(node), die_at=at)
        where = f"killed at point {at}: {result.raw['points'][-1:]}"
        node.run("instance_backup", **backup(node))
        with tarfile.open(path) as archive:
            assert archive.getnames()[-1] == "SHA256SUMS", where
        assert left(node) == [], where
        assert node.running() == [vm(node)], where
        path.unlink()
        if result.raw["signal"] is None:
            assert at > 3
            return


def test_restoring_killed_anywhere_is_finished_by_the_next_run(node: Node) -> None:
    node.run("instance", **guest(node))
    written(node)
    node.run("instance_backup", **backup(node))
    other = node.name("other")
    for at in kill_points(4):
        result = node.task("instance_backup", restored(node, other), die_at=at)
        where = f"killed at point {at}: {result.raw['points'][-1:]}"
        node.run("instance_backup", **restored(node, other))
        assert reads(node, f"{other}-data"), where
        assert not node.run("instance_backup", **restored(node, other)).changed, where
        assert left(node) == [], where
        node.run("instance", name=other, state="absent", destroy_volumes=True)
        if result.raw["signal"] is None:
            assert at > 10
            return
