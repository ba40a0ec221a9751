"""The root file system that all nodes share: built once, kept until what it is made of changes.

It is an ext4 image, and not a directory, because user-mode Linux's file system on a directory
(hostfs) gives every file that a node makes to root, which PostgreSQL and QEMU do not survive.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import paths
from lab.errors import LabError
from lab.programs import run, run_all

SUITE = "bookworm"
RECIPE = 3
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
        "ansible-core", "ceph-common", "ceph-mgr", "ceph-mon", "ceph-osd",
        "libvirt-daemon-driver-storage-rbd", "qemu-block-extra",
    ),
}  # fmt: skip
"""What a base that lab.yml names has besides: Ceph is large, and most scenarios do without.

The timer of storage pool propagation runs a playbook on the node."""
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
_APT_OPTIONS = re.compile(r"Acquire::(http|https|ftp|Check-|Retries|Max-)")


def packages(wanted: str, variant: str) -> list[str]:
    """Debian packages of the nodes; `wanted` are those that the Makefile names."""
    return sorted(
        {*_MACHINE, *_STORAGE_CLIENTS, *_STORAGE_SERVERS, *_VARIANTS[variant], *wanted.split()}
    )


def modules() -> Path:
    """The kernel modules that belong to the machine's user-mode Linux."""
    found = sorted(Path("/usr/lib/uml/modules").glob("*"))
    if not found:
        raise LabError("user-mode Linux has no modules", "Install the package user-mode-linux.")
    return found[-1]


def key(names: list[str]) -> str:
    """The name of a base: another one for other packages, kernel or recipe."""
    parts = [SUITE, RECIPE, modules().name, names, _SILENT]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def ours(text: str, deb822: bool) -> str:
    """Those of apt's sources that are of the nodes' release of Debian."""
    suite = re.compile(rf"{SUITE}(-updates|-security)?/?")
    kept = []
    if not deb822:
        for line in text.splitlines():
            found = re.fullmatch(r"deb\s+(\[[^]]*\]\s+)?\S+\s+(\S+)\s.*", line.strip())
            if found and suite.fullmatch(found[2]):
                kept.append(line.strip())
        return "".join(f"{line}\n" for line in kept)
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"(?m)^(\S+):[ \t]*(.*)$", "\n".join(lines)))
        suites = fields.get("Suites", "").split()
        if (
            fields.get("Enabled", "yes").lower() in {"no", "false"}
            or "deb" not in fields.get("Types", "").split()
        ):
            continue
        if suites and all(suite.fullmatch(each) for each in suites):
            kept.append("\n".join(lines) + "\n")
    return "\n".join(kept)


def _sources(folder: Path) -> list[Path]:
    """Files with the machine's own sources of Debian: what it reaches, its nodes' base comes from.

    Raises:
        LabError: It has none.
    """
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    texts = {"list": "", "sources": ""}
    for path in lists:
        suffix = path.suffix.removeprefix(".")
        if suffix in texts and path.is_file():
            texts[suffix] += ours(path.read_text(), suffix == "sources") + "\n"
    written = []
    for suffix, text in texts.items():
        if text.strip():
            written.append(folder / f"lab.{suffix}")
            written[-1].write_text(text)
    if not written:
        raise LabError(
            f"apt's sources of this machine name no {SUITE}",
            "Nodes are Debian 12: add its mirror to /etc/apt/sources.list.d.",
        )
    return written


def _apt_options(folder: Path) -> Path:
    """A file with the machine's own options of apt that say how to reach a mirror."""
    lines = run("apt-config", "dump").splitlines()
    kept = [line for line in lines if _APT_OPTIONS.match(line)]
    path = folder / "apt.conf"
    path.write_text("\n".join([*kept, 'APT::Install-Recommends "false";', ""]))
    return path


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
    """The image with these packages; builds it if there is none yet, which takes minutes."""
    names = packages(wanted, variant)
    image = paths.CACHE / f"{SUITE}-{key(names)}.ext4"
    if image.exists():
        return image
    with _locked(paths.CACHE / "lock"):
        for half in paths.CACHE.glob("new-*"):  # the lock is held: nobody builds these any more
            _remove(half)
        if not image.exists():
            print(f"lab: building the nodes' root disk {image}: minutes, once", flush=True)
            _build(names, image)
    return image


def _remove(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(folder):
            run("umount", mount)
    shutil.rmtree(folder)


def _build(names: list[str], image: Path) -> None:
    """Make a base under a passing name, so that half of one is never taken for a whole."""
    new = paths.CACHE / f"new-{secrets.token_hex(4)}"
    new.mkdir()
    target = new / "root"
    # A mount namespace of its own: whatever mmdebstrap leaves mounted is gone with it.
    run(
        "unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=apt", "--format=directory",
        f"--aptopt={_apt_options(new)}", f"--include={','.join(names)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        SUITE, str(target), *map(str, _sources(new)),
    )  # fmt: skip
    _configure(target)
    run(
        "mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-d", str(target),
        str(new / "image"), SIZE,
    )  # fmt: skip
    os.rename(new / "image", image)
    _remove(new)


def _configure(root: Path) -> None:
    """Make a Debian root file system one that user-mode Linux boots, the same for all nodes."""
    kernel = modules()
    shutil.copytree(kernel, root / "usr/lib/modules" / kernel.name, symlinks=True)
    chroot = ("chroot", str(root))
    present = [unit for unit in _SILENT if (root / "usr/lib/systemd/system" / unit).exists()]
    run_all(
        [
            (*chroot, "depmod", kernel.name),
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
