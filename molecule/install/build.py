"""Build the medium of this scenario, as a disk image: what the node runs the installer from.

It has the system that is installed, as the real medium has it; the installer as its Debian package
lays it out; and Debian's packages that the installer needs and a node of the lab lacks. The system
is a small real Debian without a kernel, kept in the lab's cache.

Usage: build.py LAB NODE DISK, where DISK is the node's, such as ubdb.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import apt, lifecycle, paths
from lab.programs import run
from pextra_image.architecture import AMD64
from pextra_image.packages import fetch_wheels
from pextra_image.run import Programs

RECIPE = 2
"""Counts changes of how the system is made, besides its packages."""
SYSTEM = (
    "dosfstools", "e2fsprogs", "grub-pc-bin", "grub2-common", "openssh-server", "systemd-sysv",
    "udev",
)  # fmt: skip
TOOLS = ("dosfstools", "fdisk", "squashfs-tools")
"""What the package pextra-installer depends on, and a node lacks."""
ENGINE = paths.COLLECTIONS / "ansible_collections/pextra/ce/roles/platform/files/python3-pextra.deb"
"""The package of the engine, as the installed collection carries it."""
VENV, INSTALLER = "usr/lib/pextra-ce/venv", "usr/lib/pextra-ce/installer"
SITE = "lib/python3.11/site-packages"
PLATFORMS = [f"--platform={tag}_x86_64" for tag in
             ("manylinux2014", "manylinux_2_17", "manylinux_2_28")]  # fmt: skip
UNWANTED = ("doc", "man", "locale", "info")


def main() -> None:
    """Write the medium to the node's disk, which the node does not use yet."""
    lab, node, disk = sys.argv[1:]
    image = system()
    beside = image.with_name(f"{image.name}.sha256")
    write(lab, node, disk, {"live/filesystem.squashfs": image, f"live/{beside.name}": beside})


def write(
    lab: str, node: str, disk: str, files: dict[str, Path], tools: tuple[str, ...] = ()
) -> None:
    """Write a medium with the installer to a disk of a node.

    Args:
        files: What it has besides: its path there, and a file or folder of this machine.
        tools: Debian packages that the node lacks, besides those that the installer needs.
    """
    _, base = lifecycle.read(lab)
    with tempfile.TemporaryDirectory(dir=paths.lab(lab)) as folder:
        medium = Path(folder, "medium")
        for name, source in files.items():
            (medium / name).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, medium / name)
        install_packages(medium / "root", Path(folder))
        status = Path(folder, "status")
        status.write_text(run("debugfs", "-R", "cat /var/lib/dpkg/status", str(base)))
        apt.lacking(status, medium / "packages", *TOOLS, *tools)
        shutil.copy(ENGINE, medium / "packages")
        target = paths.node(lab, node) / f"{disk}.img"
        run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "medium", "-d", str(medium), str(target))


def system() -> Path:
    """The system as a squashfs with its checksum beside it; made unless the cache has it."""
    key = hashlib.sha256(json.dumps([RECIPE, apt.SUITE, SYSTEM]).encode()).hexdigest()[:12]
    folder = paths.CACHE / f"install-{key}"
    if not folder.exists():
        print(f"building the system that is installed: {folder}", flush=True)
        with tempfile.TemporaryDirectory(dir=paths.CACHE, prefix="system-") as new:
            made = Path(new, "made")
            made.mkdir()
            build_system(Path(new), made / "filesystem.squashfs")
            made.rename(folder)
    return folder / "filesystem.squashfs"


def build_system(folder: Path, image: Path) -> None:
    """A Debian root file system, packed."""
    root = folder / "root"
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNWANTED]
    run(
        "unshare", "--mount", "mmdebstrap", "--mode=root", "--variant=essential",
        "--format=directory", f"--aptopt={apt.options(folder)}", f"--include={','.join(SYSTEM)}",
        *excluded, apt.SUITE, str(root), *map(str, apt.sources(folder)),
    )  # fmt: skip
    # GRUB's menu has what there is by the names of files.
    for name in ("initrd.img", "vmlinuz"):
        (root / f"boot/{name}-6.1.0-0-amd64").write_text("none\n")
    run("mksquashfs", str(root), str(image), "-comp", "zstd", "-Xcompression-level", "6", "-quiet",
        "-no-progress")  # fmt: skip
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    image.with_name(f"{image.name}.sha256").write_text(f"{digest}  {image.name}\n")


def install_packages(root: Path, folder: Path) -> None:
    """Ansible, the collection and the installer, as debian/rules installs them."""
    source = folder / "source"
    source.mkdir()
    for name in ("ansible_collections", "debian", "installer", "mirror", "requirements"):
        (source / name).symlink_to(paths.REPOSITORY / name)
    requirements = source / "requirements/installer.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    wheels = paths.CACHE / f"wheels-{key}"
    fetch_wheels(Programs(), requirements, AMD64, wheels)
    (source / "wheels").symlink_to(wheels)
    collections = root / "usr/share/ansible/collections"
    for argv in (
        ["debian/install-ansible", root, VENV, *PLATFORMS],
        ["debian/install-collection", root / VENV / SITE, collections],
        ["debian/install-installer", root, INSTALLER, f"{VENV}/{SITE}", *PLATFORMS],
    ):
        subprocess.run([*map(str, argv)], cwd=source, check=True)
    # The medium is read-only, and a node slow at compiling.
    for path in (root / "usr/lib/pextra-ce", collections):
        compileall.compile_dir(path, quiet=2, stripdir=root, prependdir="/", workers=0)


if __name__ == "__main__":
    main()
