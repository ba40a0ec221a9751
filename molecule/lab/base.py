"""The root file system that all nodes share: built once, kept until what it is made of changes.

It is an ext4 image, and not a directory, because user-mode Linux's file system on a directory
(hostfs) gives every file that a node makes to root, which PostgreSQL and QEMU do not survive.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import apt, kernel, paths
from lab.programs import run, run_all

RECIPE = 4
"""Counts changes of how a base is made, besides its packages."""
SIZE = "16G"
"""Of the image, which is sparse, and of what a node sees as its root disk."""

_MACHINE = (
    "dbus", "e2fsprogs", "ethtool", "gdisk", "iproute2", "iputils-arping", "iputils-ping", "kmod",
    "nftables", "openssh-server", "procps", "python3", "python3-apt", "systemd", "systemd-sysv",
    "tcpdump", "udev", "xfsprogs",
)  # fmt: skip
_STORAGE_CLIENTS = (
    "cifs-utils", "lvm2", "nfs-common", "open-iscsi", "thin-provisioning-tools",
)  # fmt: skip
_STORAGE_SERVERS = ("nfs-kernel-server", "samba", "targetcli-fb")
_VARIANTS = {
    "node": (),
    "storage": (
        "ceph-common", "ceph-mgr", "ceph-mon", "ceph-osd",
        "libvirt-daemon-driver-storage-rbd", "qemu-block-extra",
    ),
}  # fmt: skip
"""What a base that lab.yml names has besides: Ceph is large, and most scenarios do without."""
_SILENT = (
    "apt-daily-upgrade.timer", "apt-daily.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "logrotate.timer", "nfs-server.service", "nmbd.service",
    "nvmf-autoconnect.service",
    "rtslib-fb-targetctl.service", "samba-ad-dc.service", "smbd.service",
    "systemd-networkd-wait-online.service",
)  # fmt: skip
"""Units that no node starts by itself: servers are for those that a scenario makes servers."""
FIRST_BOOT = """#!/bin/sh
# Process 1 of a node, until systemd is: takes over the files that only this node has, once.
if [ ! -e /etc/lab ]; then
    mount -t hostfs -o "$LAB_FILES" none /mnt && cp -dR --preserve=mode /mnt/. / && umount /mnt
    touch /etc/lab
fi
unset LAB_FILES
exec /sbin/init
"""


def packages(wanted: str, variant: str) -> list[str]:
    """Debian packages of the nodes; `wanted` are those that the Makefile names."""
    return sorted(
        {*_MACHINE, *_STORAGE_CLIENTS, *_STORAGE_SERVERS, *_VARIANTS[variant], *wanted.split()}
    )


def key(names: list[str], release: str) -> str:
    """The name of a base: another one for other packages, release of the kernel, or recipe."""
    parts = [apt.SUITE, RECIPE, release, names, _SILENT]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("lab: waiting for another command that builds a root disk", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ready(wanted: str, variant: str) -> Path:
    """The image with these packages; builds it if there is none yet, which takes minutes.

    Beside it is a link to the kernel that its modules are for: :func:`kernel_of`.
    """
    names = packages(wanted, variant)
    image = _image(names, kernel.present())
    if image.exists():
        return image
    with _locked(paths.CACHE / "lock"):
        for half in paths.CACHE.glob("new-*"):  # the lock is held: nobody builds these any more
            _remove(half)
        found = kernel.newest()
        image = _image(names, found)
        if not image.exists():
            print(f"lab: building the nodes' root disk {image}: minutes, once", flush=True)
            _build(names, image, found)
    return image


def kernel_of(image: Path) -> Path:
    """User-mode Linux, as it boots from this image."""
    return image.with_suffix(".uml")


def _image(names: list[str], found: kernel.Kernel) -> Path:
    return paths.CACHE / f"{apt.SUITE}-{key(names, found.release)}.ext4"


def _remove(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(folder):
            run("umount", mount)
    shutil.rmtree(folder)


def _build(names: list[str], image: Path, found: kernel.Kernel) -> None:
    """Make a base under a passing name, so that half of one is never taken for a whole."""
    new = paths.CACHE / f"new-{secrets.token_hex(4)}"
    new.mkdir()
    target = new / "root"
    # A mount namespace of its own: whatever mmdebstrap leaves mounted is gone with it.
    run(
        "unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=apt", "--format=directory",
        f"--aptopt={apt.options(new)}", f"--include={','.join(names)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        apt.SUITE, str(target), *map(str, apt.sources(new)),
    )  # fmt: skip
    _configure(target, found)
    run(
        "mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-d", str(target),
        str(new / "image"), SIZE,
    )  # fmt: skip
    kernel_of(image).unlink(missing_ok=True)
    kernel_of(image).symlink_to(found.program)
    os.rename(new / "image", image)
    _remove(new)


def _configure(root: Path, found: kernel.Kernel) -> None:
    """Make a Debian root file system one that user-mode Linux boots, the same for all nodes."""
    shutil.copytree(found.modules, root / "usr/lib/modules" / found.release, symlinks=True)
    chroot = ("chroot", str(root))
    present = [unit for unit in _SILENT if (root / "usr/lib/systemd/system" / unit).exists()]
    run_all(
        [
            (*chroot, "depmod", found.release),
            (*chroot, "systemctl", "enable", "systemd-networkd.service"),
            (*chroot, "systemctl", "disable", *present),
            # Debian makes a cluster when PostgreSQL is installed; ours is made by the roles.
            (*chroot, "pg_dropcluster", "15", "main"),
        ]
    )
    for path in (root / "etc/ssh").glob("ssh_host_*"):
        path.unlink()  # each node has its own
    (root / "etc/ssh/sshd_config.d/lab.conf").write_text(
        "HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nUseDNS no\n"
    )
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/systemd/system.conf.d").mkdir(exist_ok=True)
    # The kernel's watchdog wants a program of the machine's.
    (root / "etc/systemd/system.conf.d/lab.conf").write_text("[Manager]\nRebootWatchdogSec=0\n")
    first = root / "usr/sbin/lab-init"
    first.write_text(FIRST_BOOT)
    first.chmod(0o755)
