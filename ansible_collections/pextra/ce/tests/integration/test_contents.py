# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in images and volumes: judged by what they were made as, and never lost silently."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.pextra.ce.tests.integration.lab import Node, run

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared(make_module_lab: Callable[..., Node]) -> Node:
    """A node; each test uses names of its own."""
    made = make_module_lab(Node)
    made.prepare()
    return made


# What a guest writes


def test_raw_volume_that_begins_like_another_format_stays_raw(shared: Node) -> None:
    name, machine = "liar", shared.name("liar")
    disk = shared.volume(name, "2MiB", format="raw")
    shared.run("instance", **shared.instance(machine, volumes=[disk]))
    path = shared.image_of(name)
    victim = shared.file("victim", b"secret" * 1000)
    lie = shared.directory / "lie.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(victim), "-F", "raw", str(lie), "64M")
    with path.open("r+b") as file:
        file.write(lie.read_bytes()[:MIB])
    assert not shared.run("instance", name=machine, volumes=[disk]).changed
    (found,) = shared.run("volume_info", name=name)["volumes"]
    assert (found["format"], found["size"]) == ("raw", 2 * MIB)
    done = shared.run("volume", **{**disk, "size": "4MiB"})
    assert done.actions[-1] == "volume grow"
    assert path.stat().st_size == 4 * MIB
    assert not shared.run("volume", **{**disk, "size": "4MiB"}).changed
    assert "secret" not in done.text


@pytest.mark.parametrize(
    ("format", "damage"),
    [
        ("raw", lambda path: os.truncate(path, 64 << 10)),
        ("qcow2", lambda path: run("qemu-img", "resize", "-q", "--shrink", str(path), "64K")),
        ("qcow2", lambda path: path.write_text("not an image\n")),
        ("qcow2", lambda path: os.truncate(path, 0)),
    ],
    ids=["raw-truncated", "qcow2-shrunk", "qcow2-text", "qcow2-empty"],
)
def test_data_that_is_not_what_it_was_is_an_error_that_names_it(
    shared: Node, format: str, damage: Callable[[Path], object]
) -> None:
    name, machine = shared.name().replace("-", ""), shared.name()
    disk = shared.volume(name, "2MiB", format=format)
    shared.run("instance", **shared.instance(machine, volumes=[disk]))
    path = shared.image_of(name)
    damage(path)
    before = path.read_bytes()
    for check in (True, False):
        for result in (
            shared.refused("volume", **disk, check=check),
            shared.refused("volume", **{**disk, "size": "4MiB"}, check=check),
            shared.refused("instance", name=machine, volumes=[disk], check=check),
        ):
            assert result.code == "conflict"
            assert str(path) in result.message
    assert path.read_bytes() == before
    status, out, err = shared.command("reconcile")
    assert status != 0
    assert str(path) in out + err
    assert path.read_bytes() == before
    shared.run("instance", name=machine, state="absent", destroy_volumes=True)
    assert not path.exists()


def test_pipe_as_an_image_is_refused_at_once(shared: Node) -> None:
    pipe = shared.directory / "pipe"
    os.mkfifo(pipe)
    result = shared.refused("volume", **shared.volume("piped", None, image=str(pipe)))
    assert str(pipe) in result.message
