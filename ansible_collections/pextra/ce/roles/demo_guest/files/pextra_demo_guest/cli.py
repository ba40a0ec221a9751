# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the demo guest's builder."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import initrd, iso, kernel, manifest, packages
from .platform import Platform, this_machine
from .run import BuildError, run

GUEST = Path(__file__).resolve().parent.parent / "guest"


@dataclass(frozen=True, slots=True)
class Request:
    """What to build, where, and what to note in the manifest."""

    image: Path
    cache: Path
    kernel_package: str
    source: str


def parse(arguments: list[str] | None) -> Request:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="build_demo_guest.py",
        description="Build a small bootable ISO from Debian packages, and beside it a manifest "
        "(IMAGE.json) of what it was made from. Nothing is installed.",
    )
    parser.add_argument("--image", type=Path, required=True, help="the ISO to write")
    parser.add_argument("--cache", type=Path, required=True, help="directory for downloads")
    parser.add_argument(
        "--kernel-package",
        default="",
        help="package or metapackage with the kernel (default: linux-image-ARCHITECTURE)",
    )
    parser.add_argument("--source", default="", help="version of the sources, for the manifest")
    options = parser.parse_args(arguments)
    return Request(
        options.image.absolute(), options.cache.absolute(), options.kernel_package, options.source
    )


@contextmanager
def _workshop(cache: Path) -> Iterator[Path]:
    """Yield an empty directory in the cache for one build at a time.

    What a killed build has left there is removed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        scratch = cache / "build"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _publish(source: Path, target: Path) -> None:
    """Put a finished file in its place in one step, whatever file system it comes from."""
    new = target.with_name(f".{target.name}.new")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reader, new.open("wb") as writer:
            shutil.copyfileobj(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        new.chmod(0o644)
        new.replace(target)
    except OSError as failure:
        new.unlink(missing_ok=True)
        raise BuildError(f"{target} cannot be written: {failure.strerror}") from failure


def build(request: Request, platform: Platform, scratch: Path) -> manifest.Manifest:
    """Build the image and put it with its manifest in place."""
    kernel_name = request.kernel_package or platform.kernel_package
    fetched = packages.fetch(platform.packages, kernel_name, request.cache)
    unpacked = scratch / "unpacked"
    for name in platform.packages:
        run(["dpkg-deb", "--extract", str(fetched[name].path), str(unpacked)])
    extracted = kernel.extract(fetched[kernel_name].path, scratch)
    tree = scratch / "tree"
    (tree / iso.KERNEL).parent.mkdir(parents=True)
    (tree / iso.KERNEL).write_bytes(extracted.image)
    (tree / iso.INITRD).write_bytes(initrd.build(extracted, unpacked / "bin/busybox", GUEST))
    built = iso.build(platform, unpacked, tree, scratch)
    record = manifest.Manifest(
        source=request.source,
        image_sha256=packages.sha256_of(built),
        kernel_release=extracted.release,
        packages={one.package.name: one.package.version for one in fetched.values()},
    )
    (scratch / "manifest").write_text(record.to_json(), encoding="utf-8")
    # The manifest first: an image without one is somebody else's. Killed between the two, the
    # next run finds them at odds and builds again.
    _publish(scratch / "manifest", manifest.path_for(request.image))
    _publish(built, request.image)
    return record


def main(arguments: list[str] | None = None) -> int:
    """Build the image; return 0, or 1 with a message on standard error."""
    request = parse(arguments)
    try:
        platform = this_machine()
        with _workshop(request.cache) as scratch:
            record = build(request, platform, scratch)
    except (BuildError, OSError) as failure:
        print(f"The demo guest was not built. {failure}", file=sys.stderr)
        return 1
    print(f"{request.image} built with kernel {record.kernel_release}")
    return 0
