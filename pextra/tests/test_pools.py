# SPDX-License-Identifier: Apache-2.0
"""Types of storage pools: their options, definitions, files and mounts, without a hypervisor."""

from __future__ import annotations

import dataclasses
import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.hypervisor import connection, disk_source, disk_xml
from pextra.host.hypervisor.domain import Disk
from pextra.host.pools import commands, defined, iscsi, mounts, options
from pextra.host.pools.backend import Pool, Volume, VolumeWanted
from pextra.host.pools.directory import DirectoryPool
from pextra.host.pools.types import backend
from pextra.model.errors import ConflictError, HostError, InputError

KEY = "AQBhb2dcAAAAABAAiVRmsGhTVKvo9Ol5fMtMSg=="
COMPLETE: dict[str, dict[str, Any]] = {
    "directory": {"path": "/srv/a"},
    "netfs": {
        "protocol": "cifs", "server": "files.example.com", "export": "images", "path": "/srv/b",
        "version": "3.0", "username": "node", "password": "hush hush", "domain": "WORK",
    },
    "iscsi": {
        "portal": "192.0.2.1:3260", "target": "iqn.2026-01.com.example:san", "username": "node",
        "password": "hush hush",
    },
    "rbd": {
        "monitors": ["192.0.2.1:6789"], "ceph_pool": "rbd", "username": "pextra", "key": KEY,
    },
    "zfs": {"thin": False},
    "lvm": {"thin_pool": "thin"},
}  # fmt: skip
"""Options of each type, all of them, canonical."""


def pool(type: str, directory: str = "/nonexistent", **more: Any) -> Pool:
    """A pool of a type with all its options."""
    shown, secret = options.normalise(type, COMPLETE[type] | more, "tank")
    return Pool("pool-0", "tank", shown, secret, directory)


# Options


@pytest.mark.parametrize("type", options.TYPES)
def test_secrets_are_kept_apart_and_nothing_is_lost(type: str) -> None:
    shown, secret = options.normalise(type, COMPLETE[type], "tank")
    assert shown | secret == COMPLETE[type]
    assert not set(shown) & {"password", "key"}
    assert options.normalise(type, shown | secret, "tank") == (shown, secret)


@pytest.mark.parametrize("type", options.TYPES)
def test_an_option_of_another_type_is_refused_naming_those_it_has(type: str) -> None:
    others = {key for of in COMPLETE.values() for key in of} - set(COMPLETE[type])
    assert others
    for other in others - {"version", "domain"}:
        value = next(of[other] for of in COMPLETE.values() if other in of)
        with pytest.raises(InputError, match=other) as caught:
            options.normalise(type, COMPLETE[type] | {other: value}, "tank")
        for name in COMPLETE[type]:
            assert name in str(caught.value)


@pytest.mark.parametrize(
    ("type", "missing"),
    [
        ("netfs", "server"), ("netfs", "export"), ("netfs", "username"), ("netfs", "password"),
        ("iscsi", "portal"), ("iscsi", "target"), ("iscsi", "username"), ("iscsi", "password"),
        ("rbd", "monitors"), ("rbd", "username"), ("rbd", "key"),
    ],
)  # fmt: skip
def test_what_a_type_cannot_do_without_is_asked_for(type: str, missing: str) -> None:
    given = {key: value for key, value in COMPLETE[type].items() if key != missing}
    with pytest.raises(InputError, match=missing):
        options.normalise(type, given, "tank")


@pytest.mark.parametrize(
    ("type", "option", "value"),
    [
        ("netfs", "server", "-oProxyCommand=x"), ("netfs", "server", "a..b"),
        ("netfs", "export", "../etc"), ("netfs", "export", "a,uid=0"), ("netfs", "export", "a b"),
        ("netfs", "version", "4.2"), ("netfs", "password", "two\nlines"),
        ("netfs", "password", "\tx"), ("netfs", "username", "a\nb"), ("netfs", "path", "/etc/x"),
        ("iscsi", "portal", "san.example.com"), ("iscsi", "portal", "192.0.2.1:0"),
        ("iscsi", "portal", "192.0.2.1:70000"), ("iscsi", "target", "disk one"),
        ("iscsi", "target", "iqn.2026-01.com.example:a/../b c"),
        ("rbd", "monitors", ["a:b:c:d:e"]), ("rbd", "monitors", []), ("rbd", "key", "short"),
        ("rbd", "ceph_pool", "a/b"), ("rbd", "ceph_pool", "-x"), ("lvm", "thin_pool", "-x"),
    ],
)  # fmt: skip
def test_unacceptable_values_are_refused_without_being_a_secret_told(
    type: str, option: str, value: Any
) -> None:
    with pytest.raises(InputError) as caught:
        options.normalise(type, COMPLETE[type] | {option: value}, "tank")
    if option in ("password", "key"):
        assert str(value).strip() not in str(caught.value)


def test_nfs_takes_no_credentials() -> None:
    given = COMPLETE["netfs"] | {"protocol": "nfs", "export": "/srv", "version": "4.2"}
    with pytest.raises(InputError, match="username, password, domain"):
        options.normalise("netfs", given, "tank")


@pytest.mark.parametrize(("type", "name"), [("lvm", "-x"), ("zfs", "mirror1"), ("zfs", "1st")])
def test_pools_are_named_as_what_they_stand_on_can_be(type: str, name: str) -> None:
    with pytest.raises(InputError, match=name):
        options.normalise(type, COMPLETE[type], name)


def test_addresses_have_a_port() -> None:
    target = "iqn.2026-01.com.example:san"
    for text, found in (
        ("192.0.2.1", "192.0.2.1:3260"),
        ("192.0.2.1:3261", "192.0.2.1:3261"),
        ("[2001:db8::1]", "[2001:db8::1]:3260"),
        ("[2001:db8::1]:1", "[2001:db8::1]:1"),
    ):
        shown, _secret = options.normalise("iscsi", {"portal": text, "target": target}, "san")
        assert shown["portal"] == found
    assert options.split_address("[2001:db8::1]:1") == ("2001:db8::1", 1)


@given(st.text(max_size=30) | st.integers() | st.lists(st.text(), max_size=2))
def test_path_of_a_pool_is_plain_absolute_and_outside_the_system(path: object) -> None:
    try:
        found, _secret = options.normalise("directory", {"path": path}, "local")
    except InputError:
        return
    assert found["path"].startswith("/")
    assert ".." not in found["path"]
    assert not found["path"].startswith(("/etc/", "/usr/", "/proc/"))
    assert options.normalise("directory", found, "local") == (found, {})


@pytest.mark.parametrize("types", [("directory", "directory"), ("directory", "netfs")])
@pytest.mark.parametrize(
    ("one", "two", "conflict"),
    [
        ("/srv/a", "/srv/a", True),
        ("/srv/a", "/srv/a/b", True),
        ("/srv/a/b", "/srv/a", True),
        ("/srv/a", "/srv/ab", False),
    ],
)
def test_pools_do_not_share_a_path(
    types: tuple[str, str], one: str, two: str, conflict: bool
) -> None:
    found = options.conflict(types[0], {"path": one}, types[1], {"path": two})
    assert bool(found) == conflict
    assert found is None or two in found


def test_two_pools_do_not_take_the_luns_of_one_target() -> None:
    one, two = pool("iscsi").options, pool("iscsi", portal="192.0.2.9").options
    assert "iqn.2026-01.com.example:san" in str(options.conflict("iscsi", one, "iscsi", two))


def test_two_pools_do_not_mount_one_export() -> None:
    one = pool("netfs").options
    two = {**one, "path": "/srv/elsewhere"}
    assert "files.example.com:images" in str(options.conflict("netfs", one, "netfs", two))
    for other in ({"server": "other.example.com"}, {"export": "more"}, {"protocol": "nfs"}):
        assert options.conflict("netfs", one, "netfs", {**two, **other}) is None


def test_a_ceph_pool_that_is_not_on_this_node_has_no_volumes_here() -> None:
    where, volumes = backend("rbd"), [Volume("vol-0", "raw")]
    assert where.look(pool("rbd"), volumes) == where.remnants(pool("rbd"), volumes) == {}
    assert where.snapshots(pool("rbd"), volumes[0]) == {}


# Definitions


@pytest.mark.parametrize("type", options.TYPES)
def test_no_secret_is_in_what_libvirt_is_told(type: str) -> None:
    made = pool(type)
    text = ET.tostring(backend(type).describe(made, "uuid"), encoding="unicode")
    assert "tank" in text
    for secret in made.secrets.values():
        assert secret not in text


@pytest.mark.parametrize("type", options.TYPES)
def test_every_type_is_its_own_backend(type: str) -> None:
    assert backend(type).type == type
    assert backend(type).formats[0] == ("qcow2" if type in ("directory", "netfs") else "raw")


def test_an_nfs_server_that_is_gone_does_not_hang_the_node_for_ever() -> None:
    given = {"server": "192.0.2.1", "export": "/srv"}
    shown, secret = options.normalise("netfs", given, "tank")
    made = Pool("pool-0", "tank", shown, secret, "/nonexistent")
    text = ET.tostring(backend("netfs").describe(made, "uuid"), encoding="unicode")
    for option in ("soft", "timeo=50", "retrans=2", "retry=0"):
        assert f'name="{option}"' in text


@pytest.mark.parametrize("type", ["directory", "iscsi", "lvm", "zfs", "rbd"])
def test_a_disk_is_read_back_from_its_xml_as_it_was_written(type: str) -> None:
    made, volume = pool(type), Volume("vol-0", "raw", 3)
    where = backend(type)
    remote = where.remote(made, volume)
    disk = Disk("vda", where.path(made, volume), remote=remote, serial="vol-0", discard=True)
    element = disk_xml.element(disk)
    assert disk_xml.parse(element) == disk
    driver = element.find("driver")
    assert driver is not None
    assert driver.get("discard") == driver.get("detect_zeroes") == "unmap"
    kind = {"directory": "file", "rbd": "network"}.get(type, "block")
    assert disk_source.kind(disk) == kind


def test_errors_carry_no_secret() -> None:
    text = defined.masked("mount: password hush hush is wrong", pool("netfs"))
    assert text == "mount: password ******** is wrong"


# Files of credentials


def test_credentials_are_for_root_alone_and_noticed_when_they_change(tmp_path: Path) -> None:
    made, type = pool("netfs", str(tmp_path / "etc" / "pools")), backend("netfs")
    made = dataclasses.replace(made, options={**made.options, "path": str(tmp_path / "mount")})
    assert not type.prepared(made)
    type.prepare(made)
    assert type.prepared(made)
    (path,) = (tmp_path / "etc" / "pools").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == "username=node\npassword=hush hush\ndomain=WORK\n"
    assert not type.prepared(dataclasses.replace(made, secrets={"password": "other"}))
    path.chmod(0o644)
    assert not type.prepared(made)
    type.clear(made)
    assert not path.exists()


def test_unwritable_place_of_credentials_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match="cannot be written"):
        commands.write_private(str(tmp_path / "file" / "secret"), "text")


# Mounts

TABLE = (
    "29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "71 29 0:55 / /srv/a\\040b rw - nfs4 192.0.2.1:/srv\\040x rw,vers=4.2\n"
    "72 29 0:56 / /srv/c rw master:3 - tmpfs tmpfs rw\n"
    "73 29 0:57 / /srv/c rw - cifs //server/share rw\n"
)


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    found = mounts.parse(TABLE)
    assert found["/srv/a b"] == mounts.Mount("/srv/a b", "nfs4", "192.0.2.1:/srv x", "0:55", "/")
    assert found["/srv/c"].source == "//server/share"
    assert [path for path, mount in found.items() if mount.is_network] == ["/srv/a b", "/srv/c"]


def test_what_does_not_answer_is_named_and_the_rest_is_not(tmp_path: Path) -> None:
    assert mounts.silent([str(tmp_path)]) == {}
    gone = str(tmp_path / "gone")
    assert mounts.silent([str(tmp_path), gone]) == {gone: os.strerror(2)}


def test_what_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hang = "import sys, time\nsys.stdout.write(sys.argv[1] + '\\0\\n'); sys.stdout.flush()\n"
    monkeypatch.setattr(mounts, "_PROBE", hang + "time.sleep(600)\n")
    found = mounts.silent([str(tmp_path), "/other"], patience=2)
    assert found == {"/other": "it did not answer within 2 seconds"}


def test_a_target_path_that_holds_something_is_not_mounted_over(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("precious")
    made = pool("netfs")
    made = dataclasses.replace(made, options={**made.options, "path": str(tmp_path)})
    with pytest.raises(ConflictError, match="notes"):
        backend("netfs").test(made)


# Directories


def of(path: Path) -> Pool:
    """A directory pool there."""
    return Pool("pool-0", "local", {"path": str(path)}, {}, "/nonexistent")


def test_pool_makes_volumes_once_and_of_one_size_by_copying(tmp_path: Path) -> None:
    type, made = DirectoryPool(), of(tmp_path / "pool")
    type.prepare(made)
    assert stat.S_IMODE((tmp_path / "pool").stat().st_mode) & 0o066 == 0
    volumes = [Volume(f"vol-{number}", "raw") for number in range(3)]
    wanted = [VolumeWanted(volume, 1 << 20, None) for volume in volumes]
    type.create(made, wanted)
    (tmp_path / "pool" / "vol-0.raw").write_bytes(b"data")
    type.create(made, wanted)
    assert (tmp_path / "pool" / "vol-0.raw").read_bytes() == b"data"
    assert {key: state.size for key, state in type.look(made, volumes).items()} == {
        "vol-0": 4, "vol-1": 1 << 20, "vol-2": 1 << 20,
    }  # fmt: skip
    for volume in volumes:
        type.remove(made, volume)
    type.clear(made)
    assert not (tmp_path / "pool").exists()


def test_directory_with_something_in_it_stays(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"precious")
    DirectoryPool().clear(of(tmp_path))
    assert (tmp_path / "notes").exists()


def test_a_file_in_the_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pool").write_text("")
    with pytest.raises(ConflictError, match="no directory"):
        DirectoryPool().test(of(tmp_path / "pool"))


# Programs


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(HostError, match="Install the package lvm2"):
        commands.run("lvm2", "no-such-program")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(HostError, match="did not end within"):
        commands.run("coreutils", "sleep", "600", timeout=0.1)


def test_a_program_that_fails_is_an_error_with_what_it_said() -> None:
    with pytest.raises(HostError, match="No such file"):
        commands.run("coreutils", "ls", "/nonexistent")


# open-iscsi's records

RECORD = """# BEGIN RECORD 2.1.8
node.name = iqn.2026-01.com.example:san
node.startup = manual
node.session.auth.authmethod = None
iface.iscsi_ifacename = default
# END RECORD
"""


@pytest.mark.parametrize("place", ["192.0.2.1,3260", "192.0.2.1,3260,1/default"])
def test_chap_credentials_go_into_the_record_of_the_target_alone(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iscsi, "_RECORDS", str(tmp_path))
    made = pool("iscsi")
    path = tmp_path / made.options["target"] / place
    path.parent.mkdir(parents=True)
    path.write_text(RECORD)
    assert not backend("iscsi").prepared(made)
    iscsi._write_record(made)
    assert backend("iscsi").prepared(made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_text().splitlines()
    assert "node.session.auth.password = hush hush" in lines
    assert "iface.iscsi_ifacename = default" in lines
    assert (lines[0], lines[-1]) == ("# BEGIN RECORD 2.1.8", "# END RECORD")
    assert len([line for line in lines if line.startswith("node.startup")]) == 1
    other = dataclasses.replace(made, secrets={"password": "another one"})
    assert not backend("iscsi").prepared(other)
    iscsi._write_record(other)
    assert backend("iscsi").prepared(other)
    assert "hush hush" not in path.read_text()


# Directories of other pools


class Gone(Exception):
    """libvirt's error for a pool that another tool has just removed."""

    def get_error_code(self) -> int:
        """VIR_ERR_NO_STORAGE_POOL."""
        return 49


class Other:
    """Another pool in libvirt; without a path it is removed while it is looked at."""

    def __init__(self, name: str, type: str, path: Path | None) -> None:
        self._name, self._type, self._path = name, type, path

    def name(self) -> str:
        """Its name."""
        return self._name

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        """Some identifier."""
        return f"uuid-{self._name}"

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802 - libvirt's name
        """How it is defined."""
        if self._path is None:
            raise Gone
        return f"<pool type='{self._type}'><target><path>{self._path}</path></target></pool>"


def test_another_pools_directory_is_known_by_any_path_and_a_server_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pool").mkdir()
    (tmp_path / "link").symlink_to("pool")
    libvirt = SimpleNamespace(libvirtError=Gone, VIR_ERR_NO_STORAGE_POOL=49)
    monkeypatch.setattr(defined, "bindings", lambda: libvirt)
    monkeypatch.setattr(connection, "bindings", lambda: libvirt)

    def found(*others: Other) -> tuple[str, str] | None:
        driver = SimpleNamespace(listAllStoragePools=lambda _flags: list(others))
        host = SimpleNamespace(qemu=SimpleNamespace(connection=driver))
        return defined.beside(host, "uuid-own", str(tmp_path / "pool"))  # type: ignore[arg-type]

    gone, own = Other("gone", "dir", None), Other("own", "dir", tmp_path / "pool")
    link = Other("theirs", "dir", tmp_path / "link")
    assert found(gone, own, link) == ("theirs", str(tmp_path / "link"))
    assert found(gone, own, Other("mount", "netfs", tmp_path / "link")) is None
    assert found(Other("mount", "netfs", tmp_path / "pool")) == ("mount", str(tmp_path / "pool"))
