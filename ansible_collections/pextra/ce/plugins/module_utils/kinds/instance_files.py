# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of an instance beside its volumes: the cloud-init seed and the console's log.

Making and removing them are steps of their own, seen from what is on the disk: a run that was
killed before them leaves them to the next one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.pextra.ce.plugins.module_utils.engine.fields import Row
from ansible_collections.pextra.ce.plugins.module_utils.engine.plan import Phase, Step
from ansible_collections.pextra.ce.plugins.module_utils.host import Host
from ansible_collections.pextra.ce.plugins.module_utils.hypervisor import seed

ACTIONS = ("seed", "clean")


def console_log(row: Row, host: Host) -> str:
    """The file that keeps what an instance prints on its serial console."""
    return f"{host.log_dir}/console/{row['id']}.log"


def seed_of(row: Row, host: Host) -> tuple[str, Mapping[str, str]] | None:
    """Path and files of the seed that an instance should have, if it should."""
    if row["cloud_init"] is None:
        return None
    files = seed.contents(row["id"], row["name"], row["cloud_init"])
    return seed.path(host.state_dir, row["id"], files), files


def observe(rows: Sequence[Row], host: Host) -> dict[str, tuple[str, ...]]:
    """What these instances have of such files, from one listing; logs only of those that go."""
    seeds = seed.found(host.state_dir, [row["id"] for row in rows])
    for row in rows:
        if row["status"] == "deleting" and os.path.exists(console_log(row, host)):
            seeds[row["id"]] = (*seeds.get(row["id"], ()), console_log(row, host))
    return seeds


def making(row: Row, there: Sequence[str], host: Host) -> Iterator[Step]:
    """The step that makes the seed, where it is not there yet."""
    wanted = seed_of(row, host)
    if wanted is not None and wanted[0] not in there:
        after = {"cloud_init": sorted(wanted[1])}
        yield _step(row, "seed", None, after, wanted)


def clearing(row: Row, there: Sequence[str], keep: str | None) -> Iterator[Step]:
    """The step that removes what is there but for one file."""
    stale = tuple(path for path in there if path != keep)
    if stale:
        yield _step(row, "clean", {"files": list(stale)}, {"files": []}, stale)


def _step(
    row: Row,
    action: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    payload: object,
) -> Step:
    return Step(
        "instance", row["id"], row["name"], action, Phase.HOST, before, after, payload=payload
    )


def execute(step: Step) -> None:
    """Carry out one of these steps."""
    if step.action == "seed":
        seed.write(*step.payload)
        return
    for path in step.payload:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
