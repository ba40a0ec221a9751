# SPDX-License-Identifier: Apache-2.0
"""Files of an instance beside its volumes: seed, console log, root file system of a container.

Making and removing them are steps of their own, seen from what is on the disk: a run that was
killed before them leaves them to the next one.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pextra.host.hypervisor import rootfs, seed
from pextra.host.machine import Host
from pextra.kinds.instance import seeds
from pextra.model import kinds
from pextra.model.errors import MissingError
from pextra.model.plan import Phase, Shown, Step, Work
from pextra.model.request import label

if TYPE_CHECKING:
    from pextra.model.rows import InstanceRow

MAKING = ("seed", "unpack")
ACTIONS = (*MAKING, "clean")


@dataclass(frozen=True, slots=True)
class SeedWork(Work):
    """What a step needs: the seed's file, and the text of each file in it."""

    path: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RootfsWork(Work):
    """What a step needs: the archive, and the directory that it is unpacked to."""

    archive: str
    target: str


@dataclass(frozen=True, slots=True)
class StaleWork(Work):
    """What a step needs: the files and directories that go."""

    paths: tuple[str, ...]


def console_log(id: str, host: Host) -> str:
    """The file that keeps what an instance prints on its serial console."""
    return f"{host.log_dir}/console/{id}.log"


def observe(rows: Sequence[InstanceRow], host: Host) -> dict[str, tuple[str, ...]]:
    """What these instances have of such files, from one listing; logs only of those that go."""
    found = seed.found(host.state_dir, [row["id"] for row in rows])
    for row in rows:
        log = console_log(row["id"], host)
        if row["status"] == "deleting":
            found[row["id"]] = (*found.get(row["id"], ()), *_logs(log))
        if row["rootfs_archive"]:
            root = str(row["rootfs"])
            places = root, rootfs.unfinished(root)
            there = tuple(path for path in places if os.path.isdir(path))
            found[row["id"]] = (*found.get(row["id"], ()), *there)
    return found


def _logs(path: str) -> list[str]:
    """A console's log, and what virtlogd has kept of it under a number when it became long."""
    kept = sorted(glob.glob(f"{glob.escape(path)}.[0-9]*"))
    return [one for one in (path, *kept) if os.path.exists(one)]


def overwritten(files: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The seeds among these files that are not any more what they were made as."""
    paths = (path for some in files.values() for path in some if path.endswith(".iso"))
    return frozenset(path for path in paths if not seed.is_whole(path))


def rootfs_of(id: str, host: Host) -> str:
    """Where the root file system of a container is that was unpacked from an archive."""
    return f"{host.state_dir}/containers/{id}"


def keep(row: InstanceRow, host: Host) -> str | None:
    """The file or directory of an instance that must not go: its seed or root file system."""
    if row["rootfs_archive"]:
        return str(row["rootfs"])
    return seeds.path(row, host)


def making(
    row: InstanceRow, there: Sequence[str], damaged: Collection[str], host: Host
) -> Iterator[Step]:
    """The steps that make the seed and the root file system, where they are not there yet.

    Raises:
        MissingError: A root file system that was there is gone.
    """
    if row["rootfs_archive"] and row["rootfs"] not in there:
        if row["status"] != "pending":
            raise MissingError(
                f"its root file system is missing at {row['rootfs']}",
                resource=label("instance", row["name"]),
                hint="Restore the directory, or remove the instance and create it again",
            )
        work = RootfsWork(row["rootfs_archive"], str(row["rootfs"]))
        yield step_of(row, "unpack", None, {"rootfs": work.target}, work)
    wanted = seeds.path(row, host)
    if wanted is not None and (wanted not in there or wanted in damaged):
        before: Shown = {"cloud_init": "overwritten"} if wanted in there else None
        contents = seeds.contents(row, host)
        after = {"cloud_init": sorted(contents)}
        yield step_of(row, "seed", before, after, SeedWork(wanted, contents))


def clearing(row: InstanceRow, there: Sequence[str], keep: str | None) -> Iterator[Step]:
    """The step that removes what is there but for one file."""
    stale = tuple(path for path in there if path != keep)
    if stale:
        yield step_of(row, "clean", {"files": list(stale)}, {"files": []}, StaleWork(stale))


def step_of(
    row: InstanceRow,
    action: str,
    before: Shown,
    after: Shown,
    work: Work,
) -> Step:
    """A step on the host of an instance."""
    return Step(
        kinds.INSTANCE, row["id"], row["name"], action, Phase.HOST, before, after, work=work
    )


def execute(step: Step) -> None:
    """Carry out one of these steps."""
    if step.action == "seed":
        medium = step.work_as(SeedWork)
        seed.write(medium.path, medium.files)
        return
    if step.action == "unpack":
        root = step.work_as(RootfsWork)
        rootfs.unpack(root.archive, root.target)
        return
    for path in step.work_as(StaleWork).paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
