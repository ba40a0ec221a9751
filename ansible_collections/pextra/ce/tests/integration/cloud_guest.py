# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest as users deploy it, made of Debian's packages: the cloud kernel, cloud-init, UEFI, GPT.

Its kernel has no driver for SATA, as that of Debian's genericcloud images. When cloud-init is done
it prints on the serial console what it found, and powers off when it is asked to.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("PEXTRA_LAB_CACHE", "/var/cache/pextra-ce-lab"))
BEGIN, END = "cloud guest says:", "cloud guest is done"
PACKAGES = (
    "cloud-guest-utils", "cloud-init", "dbus", "e2fsprogs", "init", "initramfs-tools", "iproute2",
    "linux-image-cloud-amd64", "systemd-boot-efi", "udev",
)  # fmt: skip
MODULES = (
    "cloud-init", *(f"python3-{name}" for name in (
        "attr", "certifi", "chardet", "charset-normalizer", "configobj", "idna", "jinja2",
        "json-pointer", "jsonpatch", "jsonschema", "markupsafe", "netifaces", "oauthlib",
        "pyrsistent", "requests", "six", "urllib3",
    )),
)  # fmt: skip
"""The program cloud-init, and what it imports besides Python and PyYAML."""
_SMALL = ("doc", "info", "locale", "man")
_REPORT = f"""\
#!/usr/bin/python3
import json, os, socket, subprocess

def text(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None

links = json.loads(subprocess.run(["ip", "-j", "address"], capture_output=True).stdout)
found = {{
    "boot": text("/proc/sys/kernel/random/boot_id"),
    "hostname": socket.gethostname(),
    "instance_id": text("/var/lib/cloud/data/instance-id"),
    "datasource": text("/var/lib/cloud/instance/datasource"),
    "status": text("/run/cloud-init/result.json"),
    "marks": {{
        name: text(f"/var/lib/marks/{{name}}") for name in os.listdir("/var/lib/marks")
        if not name.startswith(".")
    }},
    "links": {{
        link["ifname"]: {{
            "mac": link.get("address"),
            "addresses": [item["local"] for item in link["addr_info"] if item["scope"] == "global"],
        }}
        for link in links if link["ifname"] != "lo"
    }},
    "disks": sorted(os.listdir("/dev/disk/by-id")),
    "scsi": sorted(os.listdir("/sys/class/scsi_disk")),
    "root": os.statvfs("/").f_blocks * os.statvfs("/").f_frsize,
}}
print("{BEGIN}", json.dumps(found), flush=True)
print("{END}", flush=True)
"""
_UNIT = """\
[Unit]
After=cloud-final.service multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/report
StandardOutput=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=cloud-init.target
"""
_FILES = {
    "etc/fstab": "LABEL=root / ext4 defaults 0 1\n",
    "etc/hostname": "unnamed\n",
    "etc/machine-id": "",
    "etc/cloud/cloud.cfg.d/90_tests.cfg": "datasource_list: [NoCloud, None]\n",
    "etc/systemd/system/report.service": _UNIT,
    "usr/local/sbin/report": _REPORT,
    "var/lib/marks/.keep": "",
}
_ENTRY = """\
title Debian
linux /vmlinuz
initrd /initrd.img
options root=LABEL=root ro console=ttyS0 quiet
"""
_PARTITIONS = {"10-esp": ("esp", "esp.img"), "20-root": ("root-x86-64", "root.img")}


def image() -> Path:
    """The guest's disk, a qcow2 file of about 200 MB; made once, then kept in the cache."""
    parts = (PACKAGES, _SMALL, _FILES, _ENTRY, _PARTITIONS)
    target = CACHE / f"cloud-guest-{_digest(repr(parts).encode())}.qcow2"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cloud-guest-", dir=CACHE) as name:
            os.replace(_made(Path(name)), target)
    return target


def program() -> Path:
    """The program cloud-init, unpacked from Debian's packages; made once, then in the cache."""
    directory = CACHE / f"cloud-init-{_digest(' '.join(MODULES).encode())}"
    if not directory.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cloud-init-", dir=CACHE) as name:
            made, debs = Path(name, "made"), Path(name, "debs")
            debs.mkdir()
            _run("apt-get", "-q", "download", *MODULES, cwd=debs)
            for path in debs.iterdir():
                _run("dpkg-deb", "-x", str(path), str(made))
            script = made / "bin/cloud-init"
            script.parent.mkdir()
            script.write_text(
                f"#!/bin/sh\nPYTHONPATH={directory}/usr/lib/python3/dist-packages exec"
                ' /usr/bin/python3 -m cloudinit.cmd.main "$@"\n'
            )
            script.chmod(0o755)
            os.replace(made, directory)
    return directory / "bin/cloud-init"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:12]


def _made(directory: Path) -> Path:
    root, esp = directory / "root", directory / "esp.img"
    # A mount namespace of its own: whatever mmdebstrap leaves mounted is gone with it.
    _run(
        "unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=apt", "--format=directory",
        f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _SMALL),
        "bookworm", str(root), *_sources(),
    )  # fmt: skip
    for name, content in _FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / "usr/local/sbin/report").chmod(0o755)
    _run("chroot", str(root), "systemctl", "enable", "report.service", "systemd-networkd.service")
    _boot_partition(root, esp)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    _run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-m", "0", "-d", str(root),
         str(directory / "root.img"), "1200M")  # fmt: skip
    definitions = directory / "partitions"
    definitions.mkdir()
    for part, (type, file) in _PARTITIONS.items():
        (definitions / f"{part}.conf").write_text(
            f"[Partition]\nType={type}\nCopyBlocks={directory / file}\n"
        )
    disk, made = directory / "disk.img", directory / "disk.qcow2"
    _run("systemd-repart", "--empty=create", "--size=auto", "--dry-run=no", "--no-pager",
         f"--definitions={definitions}", str(disk))  # fmt: skip
    _run("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", str(disk), str(made))
    return made


def _sources() -> list[str]:
    """The machine's own sources of Debian's release: what it reaches, the guest comes from."""
    found = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.sources")]
    return [str(path) for path in found if path.exists() and "bookworm" in path.read_text()]


def _boot_partition(root: Path, esp: Path) -> None:
    """Put kernel and boot loader into a file system that the firmware reads."""
    tree = esp.with_suffix("")
    (tree / "EFI/BOOT").mkdir(parents=True)
    (tree / "loader/entries").mkdir(parents=True)
    shutil.copy(
        root / "usr/lib/systemd/boot/efi/systemd-bootx64.efi", tree / "EFI/BOOT/BOOTX64.EFI"
    )
    for name in ("vmlinuz", "initrd.img"):
        (found,) = (root / "boot").glob(f"{name}-*")
        shutil.copy(found, tree / name)
        found.unlink()
    (tree / "loader/entries/debian.conf").write_text(_ENTRY)
    _run("mkfs.vfat", "-C", "-F", "32", str(esp), str(100 << 10))
    _run("mcopy", "-s", "-i", str(esp), *map(str, tree.iterdir()), "::")


def _run(*argv: str, cwd: Path | None = None) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr[-4000:]}{done.stdout[-4000:]}"
