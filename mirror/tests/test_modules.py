"""The collection's modules of aptly, on the same source and a real aptly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mirror_bed import PACKAGE, Key, SourceRepository, run

MODULES = "ansible_collections.pextra.ce.plugins.modules"


class Server:
    """A folder with an aptly of its own, and the tasks that change it."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        self.config = folder / "aptly.conf"
        self.config.write_text(json.dumps({"rootDir": str(folder / "aptly"), "gpgProvider": "gpg"}))

    def task(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """What one task returns."""
        args = {
            "config": str(self.config), "gnupg_home": str(self.key.home),
            "_ansible_check_mode": check, "_ansible_diff": True, **options,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", f"{MODULES}.{module}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": args}), capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def converge(self, module: str, **options: Any) -> dict[str, Any]:
        """Check, apply, apply again: the check foretells the change, and changes nothing."""
        name = module.removeprefix("aptly_")
        before = self.task("aptly_info")
        checked = self.task(module, check=True, **options)
        assert self.task("aptly_info") == before
        done = self.task(module, **options)
        assert not done.get("failed"), done
        assert checked["changed"] == done["changed"]
        for key, value in (checked[name] or {}).items():
            assert done[name][key] == value, key
        assert (checked[name] is None) == (done[name] is None)
        again = self.task(module, **options)
        assert (again["changed"], again[name]) == (False, done[name])
        return done

    def aptly(self, *words: str) -> None:
        """Run aptly itself."""
        run("aptly", f"-config={self.config}", *words, env=self.key.env)


@pytest.fixture
def server(folder: Path, upstream: SourceRepository) -> Server:
    """A server that has nothing yet."""
    return Server(folder, upstream.key)


def test_mirrors_snapshots_and_publications_from_beginning_to_end(
    server: Server, upstream: SourceRepository
) -> None:
    keyring = str(upstream.key.public)
    for component in ("common", "meta"):
        made = server.converge(
            "aptly_mirror", name=component, archive_url=upstream.url, distribution="bookworm",
            components=[component], architectures=["arm64", "amd64"], keyring=[keyring],
        )  # fmt: skip
        assert made["changed"]
        assert made["diff"]["before"] == ""
        server.aptly("mirror", "update", f"-keyring={keyring}", component)
        assert server.converge("aptly_snapshot", name=f"{component}-1", mirror=component)["changed"]
        server.aptly("snapshot", "create", f"{component}-2", "from", "mirror", component)
    first = {"common": "common-1", "meta": "meta-1"}
    place = {"prefix": "pextra", "distribution": "bookworm", "gpg_key": server.key.fingerprint}
    made = server.converge("aptly_publication", components=first, label="Ours", **place)
    assert made["publication"]["acquire_by_hash"] is True
    release = server.folder / "aptly/public/pextra/dists/bookworm/Release"
    assert "Components: common meta" in release.read_text()
    switched = server.converge("aptly_publication", components={**first, "meta": "meta-2"}, **place)
    assert switched["diff"]["before"]["components"] == first
    refused = server.task("aptly_snapshot", name="meta-2", state="absent")
    assert refused["code"] == "host"
    assert refused["msg"].startswith("aptly snapshot drop failed: ")
    found = server.task("aptly_info")
    assert [item["name"] for item in found["mirrors"]] == ["common", "meta"]
    assert len(found["snapshots"]) == 4
    assert found["publications"] == [switched["publication"]]
    assert server.converge("aptly_publication", state="absent", **place)["changed"]
    for item in found["snapshots"]:
        assert server.converge("aptly_snapshot", name=item["name"], state="absent")["changed"]
    assert server.converge("aptly_mirror", name="meta", state="absent")["changed"]


def test_a_mirrors_filter_changes_and_its_distribution_cannot(
    server: Server, upstream: SourceRepository
) -> None:
    wanted = {"name": "m", "archive_url": upstream.url, "distribution": "bookworm",
              "keyring": [str(upstream.key.public)], "components": ["common"]}  # fmt: skip
    server.converge("aptly_mirror", **wanted)
    changed = server.converge("aptly_mirror", name="m", filter="pce-web", filter_with_deps=True)
    assert changed["changed"]
    assert changed["mirror"]["filter"] == "pce-web"
    refused = server.task("aptly_mirror", name="m", distribution="trixie", check=True)
    assert refused["code"] == "conflict"
    assert "cannot become 'trixie'" in refused["msg"]


def test_what_is_missing_or_contradicts_is_named(
    server: Server, upstream: SourceRepository
) -> None:
    assert "archive_url is required" in server.task("aptly_mirror", name="m")["msg"]
    assert "give mirror or snapshots" in server.task("aptly_snapshot", name="s")["msg"]
    assert (
        "components is required"
        in server.task("aptly_publication", distribution="bookworm", prefix="p")["msg"]
    )
    keyring = [str(upstream.key.public)]
    for name, component in (("a", "common"), ("b", "meta")):
        server.converge("aptly_mirror", name=name, archive_url=upstream.url, keyring=keyring,
                        distribution="bookworm", components=[component])  # fmt: skip
        server.aptly("mirror", "update", f"-keyring={keyring[0]}", name)
    server.converge("aptly_snapshot", name="s", mirror="a")
    refused = server.task("aptly_snapshot", name="s", mirror="b")
    assert (refused["code"], refused["errors"][0]["resource"]) == ("conflict", 'snapshot "s"')
    server.converge("aptly_snapshot", name="t", mirror="b")
    merged = server.converge("aptly_snapshot", name="both", snapshots=["t", "s"])
    assert merged["snapshot"]["snapshots"] == ["s", "t"]
