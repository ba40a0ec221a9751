"""Repositories of thousands of packages, made without a program for each."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Iterator

from mirror_bed import Deb

SHARE = 100
"""One package in so many is new in each further state."""


def package(name: str, version: str, component: str = "common", size: int = 2000) -> Deb:
    """A package for amd64, the same each time, whose contents nobody could compress."""
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
        f"Maintainer: Test <test@example.com>\nDescription: made by a test\n"
    )
    contents = random.Random(f"{name} {version}").randbytes(size)  # noqa: S311
    members = {
        "debian-binary": b"2.0\n",
        "control.tar": archive({"./control": control.encode()}),
        "data.tar": archive({f"./usr/share/{name}": contents}),
    }
    data = b"!<arch>\n"
    for member, body in members.items():
        data += f"{member:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(body):<10}`\n".encode()
        data += body + b"\n" * (len(body) % 2)
    return Deb(name, version, "amd64", component, control, data)


def archive(files: dict[str, bytes]) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            tar.addfile(item, io.BytesIO(data))
    return out.getvalue()


def states(count: int, size: int = 2000) -> Iterator[list[Deb]]:
    """So many packages, and the same again and again with one in a hundred of a new version."""
    debs = [
        package(f"part{number:05}", "1", ("common", "meta")[number % 2], size)
        for number in range(count)
    ]
    version = 1
    while True:
        yield list(debs)
        version += 1
        for number in range(version % SHARE, count, SHARE):
            debs[number] = package(debs[number].name, str(version), debs[number].component, size)
