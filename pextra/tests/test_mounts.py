# SPDX-License-Identifier: Apache-2.0
"""What is to be mounted and is not, by the node's own table; bind mounts of one place."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from pextra.host.pools import mounts
from pextra.host.pools.directory import DirectoryPool
from pextra.model.errors import ConflictError

FSTAB = """\
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1 / ext4 errors=remount-ro 0 1
UUID=2 none swap sw 0 0
UUID=3 /srv ext4 defaults,nofail 0 2
UUID=4 /srv/deep/er xfs defaults 0 2
UUID=5 /media/stick\\040one vfat noauto 0 0
  # UUID=6 /srv/comment ext4 defaults 0 2
UUID=7 /media/disk\\040two ext4 defaults 0 2
broken
"""
MOUNTED = (
    "29 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
    "30 29 254:2 / /srv rw - ext4 /dev/vda2 rw\n"
    "31 29 254:1 /var/pool /mnt/again rw - ext4 /dev/vda1 rw\n"
    "32 29 254:2 /a /mnt/other rw - ext4 /dev/vda2 rw\n"
)


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine's own tables."""
    for name, text in (("_WANTED", FSTAB), ("_TABLE", MOUNTED)):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(mounts, name, str(tmp_path / name))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/srv/pool", None),
        ("/srv/deep/er/pool", "/srv/deep/er"),
        ("/srv/deep/er", "/srv/deep/er"),
        ("/srv/deep/erst", None),
        ("/media/stick one/pool", None),
        ("/media/disk two/pool", "/media/disk two"),
        ("/srv/comment", None),
        ("/none", None),
    ],
)
def test_what_is_to_be_mounted_and_is_not_is_known(path: str, where: str | None) -> None:
    assert mounts.missing(path) == where


@pytest.mark.usefixtures("tables")
def test_directory_below_a_file_system_that_is_not_mounted_is_no_pool() -> None:
    pool = SimpleNamespace(id="pool-x", options={"path": "/srv/deep/er/pool"})
    with pytest.raises(ConflictError, match="/srv/deep/er, which is in /etc/fstab, is not mounted"):
        DirectoryPool().test(pool)  # type: ignore[arg-type]
    (told,) = DirectoryPool().troubles([pool]).values()  # type: ignore[list-item]
    assert "is not mounted" in told


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("/var/pool", "/mnt/again"),
        ("/var/pool/within", "/mnt/again/within"),
        ("/srv/a/b", "/mnt/other/b"),
    ],
)
def test_one_place_by_two_mounts_is_one(one: str, two: str) -> None:
    mounted = mounts.table()
    assert mounts.place(one, mounted) == mounts.place(two, mounted)
    assert mounts.place(one, mounted) != mounts.place("/var", mounted)
    assert mounts.place(one, {}) == one
