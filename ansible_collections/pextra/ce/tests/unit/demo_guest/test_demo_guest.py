# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo guest's archive, its drivers in their order, and its reading of a network seed."""

from __future__ import annotations

import gzip
import io
import json
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.pextra.ce.roles.demo_guest.files.pextra_demo_guest import kernel
from ansible_collections.pextra.ce.roles.demo_guest.files.pextra_demo_guest.initrd import Cpio
from ansible_collections.pextra.ce.roles.demo_guest.files.pextra_demo_guest.run import BuildError

ROLE = Path(__file__).parents[3] / "roles/demo_guest"
AWK = ROLE / "files/guest/usr/lib/pextra-demo/network-config.awk"
NICS = "eth0 52:54:00:00:00:01\neth1 52:54:00:00:00:02\n"


def unpacked(archive: bytes, directory: Path) -> Path:
    """What a program that knows the format by itself makes of an archive."""
    subprocess.run(
        ["busybox", "cpio", "-i", "-d"],
        input=gzip.decompress(archive), cwd=directory, check=True,
    )  # fmt: skip
    return directory


def test_archive_holds_what_was_added_with_the_directories_above(tmp_path: Path) -> None:
    cpio = Cpio()
    cpio.file("usr/lib/x/one", b"content", 0o755)
    cpio.file("empty", b"")
    cpio.link("init", "usr/lib/x/one")
    root = unpacked(cpio.finish(), tmp_path)
    assert (root / "usr/lib/x/one").read_bytes() == b"content"
    assert stat.S_IMODE((root / "usr/lib/x/one").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "usr/lib").stat().st_mode) == 0o755
    assert (root / "empty").read_bytes() == b""
    assert (root / "init").readlink() == Path("usr/lib/x/one")


@pytest.mark.parametrize("length", range(1, 9))
def test_archive_is_padded_whatever_the_lengths_are(length: int, tmp_path: Path) -> None:
    cpio = Cpio()
    cpio.file("n" * length, b"c" * length)
    cpio.file("last", b"whole")
    root = unpacked(cpio.finish(), tmp_path)
    assert (root / ("n" * length)).read_bytes() == b"c" * length
    assert (root / "last").read_bytes() == b"whole"


def test_archive_takes_a_name_once_and_gives_the_same_bytes_again(tmp_path: Path) -> None:
    def make() -> bytes:
        cpio = Cpio()
        cpio.file("a/b", b"first")
        cpio.file("a/b", b"second")
        return cpio.finish()

    assert make() == make()
    assert (unpacked(make(), tmp_path) / "a/b").read_bytes() == b"first"


def module(name: str, *depends: str) -> kernel.Module:
    """A module that depends on others."""
    return kernel.Module(name, f"kernel/{name}.ko", b"", depends, (f"pci:{name}*",))


def test_dependencies_are_listed_nearest_first_and_once() -> None:
    modules = (module("c"), module("b", "c"), module("a", "b", "c"), module("d", "absent"))
    found = kernel.Kernel("6.1", b"", modules)
    assert found.modules_dep().splitlines() == [
        "kernel/c.ko:",
        "kernel/b.ko: kernel/c.ko",
        "kernel/a.ko: kernel/b.ko kernel/c.ko",
        "kernel/d.ko:",
    ]
    assert found.modules_alias().splitlines()[0] == "alias pci:c* c"


def package(directory: Path, files: dict[str, bytes]) -> Path:
    """A Debian package with these files, made by dpkg-deb."""
    tree = directory / "tree"
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    control = tree / "DEBIAN/control"
    control.parent.mkdir()
    control.write_text(
        "Package: linux-image-test\nVersion: 1\nArchitecture: all\n"
        "Maintainer: test <test@example.com>\nDescription: test\n"
    )
    target = directory / "kernel.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(target)],
                   check=True, capture_output=True)  # fmt: skip
    return target


def drivers(*left_out: str) -> dict[str, bytes]:
    """The files of a kernel with every required driver but these."""
    top = "lib/modules/6.1/kernel"
    files = {
        f"{top}/{name.replace('_', '-')}.ko": b"\0alias=of:" + name.encode() + b"\0depends=\0"
        for name in kernel.REQUIRED_DRIVERS
        if name not in left_out
    }
    return {"boot/vmlinuz-6.1": b"image", "lib/modules/6.1/modules.builtin": b"", **files}


def test_drivers_come_with_what_they_depend_on_first(tmp_path: Path) -> None:
    files = drivers("virtio_net")
    files["lib/modules/6.1/kernel/virtio_net.ko"] = b"\0depends=net-failover,failover\0\0alias=v\0"
    files["lib/modules/6.1/kernel/net_failover.ko"] = b"\0depends=failover\0"
    files["lib/modules/6.1/kernel/failover.ko"] = b"\0depends=\0"
    found = kernel.extract(package(tmp_path, files), tmp_path)
    assert (found.release, found.image) == ("6.1", b"image")
    names = [item.name for item in found.modules]
    assert names.index("failover") < names.index("net_failover") < names.index("virtio_net")
    assert "kernel/virtio_net.ko: kernel/net_failover.ko kernel/failover.ko" in found.modules_dep()


def test_driver_that_is_built_in_is_not_missed_and_one_that_is_nowhere_is(tmp_path: Path) -> None:
    built_in = drivers("button") | {
        "lib/modules/6.1/modules.builtin": b"kernel/drivers/acpi/button.ko\n"
    }
    assert kernel.extract(package(tmp_path, built_in), tmp_path).release == "6.1"
    (tmp_path / "two").mkdir()
    with pytest.raises(BuildError, match="no driver button"):
        kernel.extract(package(tmp_path / "two", drivers("button")), tmp_path)


def test_package_without_a_kernel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="holds no kernel"):
        kernel.extract(package(tmp_path, {"usr/share/doc/x": b""}), tmp_path)
    broken = tmp_path / "broken.deb"
    with tarfile.open(broken, "w") as archive:
        archive.addfile(tarfile.TarInfo("x"), io.BytesIO())
    with pytest.raises(BuildError, match=r"broken\.deb cannot be unpacked"):
        kernel.extract(broken, tmp_path)


NETWORKS: list[tuple[dict[str, Any], list[str]]] = [
    ({"eth1": {"addresses": ["192.0.2.5/24"]}}, ["eth1 address 192.0.2.5/24"]),
    ({"lan": {"match": {"macaddress": "52:54:00:00:00:02"}, "dhcp4": True}}, ["eth1 dhcp yes"]),
    ({"lan": {"match": {"macaddress": "52:54:00:FF:FF:FF"}, "dhcp4": True}}, []),
    ({"first": {"dhcp4": True}, "second": {"addresses": ["2001:db8::5/64"]}},
     ["eth0 dhcp yes", "eth1 address 2001:db8::5/64"]),
    ({"eth0": {"addresses": ["192.0.2.5/24"], "gateway4": "192.0.2.1"}},
     ["eth0 address 192.0.2.5/24", "eth0 gateway 192.0.2.1"]),
    ({"eth0": {"routes": [{"to": "default", "via": "192.0.2.1"},
                          {"to": "198.51.100.0/24", "via": "192.0.2.9"}]}},
     ["eth0 gateway 192.0.2.1"]),
    ({"eth0": {"routes": [{"via": "2001:db8::1", "to": "::/0"}]}}, ["eth0 gateway 2001:db8::1"]),
    ({"eth0": {"dhcp4": False}}, []),
]  # fmt: skip


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
@pytest.mark.parametrize(("ethernets", "lines"), NETWORKS)
def test_network_seed_is_read_in_both_notations(
    ethernets: dict[str, Any], lines: list[str], write: Any, tmp_path: Path
) -> None:
    config = tmp_path / "network-config"
    config.write_text(write({"version": 2, "ethernets": ethernets}))
    (tmp_path / "nics").write_text(NICS)
    done = subprocess.run(
        ["busybox", "awk", "-f", str(AWK), str(tmp_path / "nics"), str(config)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sorted(done.stdout.splitlines()) == sorted(lines)
