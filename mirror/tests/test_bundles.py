"""Full airgap: bundles over three publications, and every attack on them."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apt_client import AptClient
from mirror_bed import PARTS, PYTHON, Builder, Done, Key, Mirror, SourceRepository, platform, run

Members = list[tuple[tarfile.TarInfo, bytes]]


@dataclasses.dataclass
class Stick:
    """A mirror with three publications, and the bundles that lead from one to the next."""

    mirror: Mirror
    folder: Path
    key: Path
    bundles: list[Path]
    full: Path


def export(mirror: Mirror, folder: Path, *words: str | Path) -> list[Path]:
    """The files of a bundle."""
    return [Path(path) for path in mirror.run("export", "--output", folder, *words)["parts"]]


@pytest.fixture(scope="module")
def stick(bed: Path, vendor: Key, builder: Builder) -> Iterator[Stick]:
    """Three publications: version 1.0, 2.0 beside it, and 2.0 alone."""
    folder = bed / "stick"
    upstream = SourceRepository(folder / "source", vendor)
    mirror = Mirror(folder / "mirror", platform(upstream))
    mirror.run("init")
    bundles: list[Path] = []
    old, new = builder.platform("1.0"), builder.platform("2.0")
    for debs in (old, old + new, new):
        upstream.release(debs)
        mirror.run("sync", "--publish")
        since = ("--since", bundles[-1]) if bundles else ()
        bundles += export(mirror, folder / "bundles", *since)
    full = export(mirror, folder / "bundles")[0]
    yield Stick(mirror, folder / "bundles", mirror.key(), bundles, full)
    upstream.stop()
    mirror.stop()
    shutil.rmtree(folder)


class Site:
    """A site without internet: a tree, and the importer that came with the bundles."""

    def __init__(self, folder: Path, stick: Stick) -> None:
        self.tree = folder / "site"
        self.key = stick.key
        self.importer = folder / "import-bundle.pyz"
        shutil.copy(stick.folder / "import-bundle.pyz", self.importer)

    def argv(self, *words: str | Path) -> list[str]:
        """The command line of the importer."""
        return [PYTHON, "-I", str(self.importer), "--json", "--tree", str(self.tree),
                *map(str, words)]  # fmt: skip

    def call(self, *words: str | Path) -> Done:
        """Run the importer, whatever comes of it."""
        # An empty folder is all that it finds besides Python and gpgv.
        done = subprocess.run(
            self.argv(*words), capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"}, cwd=self.tree.parent,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def take(self, bundle: Path) -> dict[str, Any]:
        """Import a bundle that is fine."""
        done = self.call("import", bundle, "--keyring", self.key)
        assert done.code == 0, done.err
        return done.json

    def refused(self, bundle: Path, said: str) -> None:
        """A bundle is refused for a reason, and nothing that is served changes."""
        before = self.served()
        done = self.call("import", bundle, "--keyring", self.key)
        assert done.code == 7, done.err
        assert said in done.err
        assert self.served() == before
        assert not list(self.tree.glob(".generations/incoming-*/*"))

    def served(self) -> dict[str, bytes]:
        """Everything that a client could see."""
        found: dict[str, bytes] = {}
        for prefix in self.tree.glob("[!.]*"):
            for folder, _folders, names in os.walk(prefix, followlinks=True):
                for name in names:
                    path = Path(folder, name)
                    found[str(path.relative_to(self.tree))] = path.read_bytes()
        return found


@pytest.fixture
def place(folder: Path, stick: Stick) -> Site:
    """A site that has nothing yet."""
    return Site(folder, stick)


def members(bundle: Path) -> Members:
    """What is in a bundle."""
    with tarfile.open(bundle) as tar:
        return [(item, getattr(tar.extractfile(item), "read")()) for item in tar]  # noqa: B009


def packed(path: Path, contents: Members) -> Path:
    """A bundle with these contents."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for item, data in contents:
            item.size = len(data)
            tar.addfile(item, io.BytesIO(data))
    return path


def test_three_bundles_bring_a_site_to_what_the_mirror_serves(
    place: Site, stick: Stick, folder: Path
) -> None:
    client = AptClient(folder / "node", f"file:{place.tree}/pextra", stick.key)
    for number, (bundle, candidate) in enumerate(
        zip(stick.bundles, ("1.0", "2.0", "2.0"), strict=True), 1
    ):
        assert place.take(bundle)["current"] == number
        client.update()
        assert client.candidate("pce-common") == candidate
    client.install("pce-common")
    assert client.installed() == {"pce-common": "2.0", **dict.fromkeys(PARTS, "2.0")}
    index = "pextra/dists/bookworm/InRelease"
    assert (place.tree / index).read_bytes() == (stick.mirror.public / index).read_bytes()


def test_a_delta_has_only_what_is_new(stick: Stick) -> None:
    names = {item.name for item, _data in members(stick.bundles[1])}
    assert {name for name in names if name.endswith(".deb")}
    assert not [name for name in names if name.endswith(".deb") and "_2.0_" not in name]
    assert not [item.name for item, _d in members(stick.bundles[2]) if item.name.endswith(".deb")]


def test_the_same_bundle_is_the_same_byte_for_byte(stick: Stick, folder: Path) -> None:
    again = export(stick.mirror, folder, "--since", stick.bundles[1])[0]
    assert again.name == stick.bundles[2].name
    assert again.read_bytes() == stick.bundles[2].read_bytes()
    importer = folder / "import-bundle.pyz"
    assert importer.read_bytes() == (stick.folder / "import-bundle.pyz").read_bytes()


def test_a_base_may_be_named_by_number_or_snapshot(stick: Stick, folder: Path) -> None:
    listing = stick.mirror.public / ".generations/2/listing.json"
    snapshot = json.loads(listing.read_bytes())["snapshots"]["pextra/bookworm"]["meta"]
    by_bundle = stick.bundles[2].read_bytes()
    assert export(stick.mirror, folder / "a", "--since", "2")[0].read_bytes() == by_bundle
    assert export(stick.mirror, folder / "b", "--since", snapshot)[0].read_bytes() == by_bundle


def test_the_first_import_needs_a_key(place: Site, stick: Stick) -> None:
    done = place.call("import", stick.bundles[0])
    assert done.code == 7
    assert "--keyring" in done.err
    place.take(stick.bundles[0])
    assert place.call("import", stick.bundles[1]).code == 0


def flipped(contents: Members) -> Members:
    """One bit of the last package is another."""
    item, data = contents[-1]
    return [*contents[:-1], (item, data[:-1] + bytes([data[-1] ^ 1]))]


def other_manifest(contents: Members) -> Members:
    """The manifest says another sequence."""
    fields = json.loads(contents[0][1])
    fields["target"]["sequence"] += 1
    return [(contents[0][0], json.dumps(fields).encode()), *contents[1:]]


def swapped(contents: Members) -> Members:
    """Two members have changed places."""
    return [*contents[:-2], contents[-1], contents[-2]]


def link(contents: Members) -> Members:
    """A member is a link out of the tree."""
    item = tarfile.TarInfo(contents[-1][0].name)
    item.type, item.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return [*contents[:-1], (item, b"")]


def more(contents: Members) -> Members:
    """There is one more member."""
    return [*contents, (tarfile.TarInfo("pextra/pool/evil.deb"), b"evil")]


@pytest.mark.parametrize(("attack", "said"), [
    (flipped, "is not what the signed manifest says"),
    (other_manifest, "BADSIG"),
    (swapped, "where pextra/"),
    (link, "where pextra/"),
    (more, "more in it than its manifest names"),
    (lambda contents: contents[:-1], "truncated"),
    (lambda contents: contents[1:], "where manifest.json belongs"),
    (lambda contents: [contents[0], *contents[2:]], "where manifest.json.sig belongs"),
])  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_a_bundle_that_was_tampered_with_changes_nothing(
    place: Site, stick: Stick, folder: Path, attack: Callable[[Members], Members], said: str,
    first: bool,
) -> None:  # fmt: skip
    if not first:
        place.take(stick.bundles[0])
    bundle = stick.bundles[0 if first else 1]
    place.refused(packed(folder / "evil.tar", attack(members(bundle))), said)
    assert place.take(bundle)["current"] == (1 if first else 2)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.97])
def test_a_truncated_bundle_changes_nothing(
    place: Site, stick: Stick, folder: Path, share: float
) -> None:
    place.take(stick.bundles[0])
    data = stick.bundles[1].read_bytes()
    (folder / "cut.tar").write_bytes(data[: int(len(data) * share)])
    place.refused(folder / "cut.tar", "bundle")


def test_what_another_key_signed_is_refused(
    place: Site, stick: Stick, folder: Path, stranger: Key
) -> None:
    contents = members(stick.bundles[0])
    signature = run("gpg", "--batch", "--detach-sign", env=stranger.env, stdin=contents[0][1])
    contents[1] = (contents[1][0], signature)
    place.refused(packed(folder / "evil.tar", contents), "NO_PUBKEY")


def test_a_bundle_without_its_base_is_refused_by_name(place: Site, stick: Stick) -> None:
    place.refused(stick.bundles[1], "builds on publication 1, which is missing")
    place.take(stick.bundles[0])
    place.refused(stick.bundles[2], "builds on publication 2, which is missing (here are 1)")


def test_replays_and_downgrades_are_refused(place: Site, stick: Stick) -> None:
    for bundle in stick.bundles:
        place.take(bundle)
    place.refused(stick.bundles[2], "publication 3 was imported already")
    place.refused(stick.bundles[0], "leads to publication 1, here is 3 already")
    place.refused(stick.bundles[1], "leads to publication 2, here is 3 already")


def test_another_mirrors_bundle_is_refused(
    place: Site, stick: Stick, mirror: Mirror, folder: Path
) -> None:
    place.take(stick.bundles[0])
    mirror.run("sync", "--publish")
    mirror.run("publish", "--force")
    other = export(mirror, folder / "other")[0]
    done = place.call("import", other, "--keyring", mirror.key())
    assert done.code == 7
    assert "this is a bundle of mirror" in done.err


def test_a_bundle_without_base_skips_what_was_missed(place: Site, stick: Stick) -> None:
    place.take(stick.bundles[0])
    assert place.take(stick.full)["current"] == 3


def test_a_damaged_base_is_found(place: Site, stick: Stick) -> None:
    place.take(stick.bundles[0])
    path = next(place.tree.glob("pextra/pool/**/*_pce-web_1.0_amd64.deb"))
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + b"!")
    place.refused(stick.bundles[1], "pce-web_1.0_amd64.deb of the base is damaged")


def test_parts_are_one_bundle_and_a_missing_one_is_named(
    place: Site, stick: Stick, folder: Path
) -> None:
    parts = export(stick.mirror, folder / "parts", "--split", "64KiB")
    assert len(parts) >= 2
    assert {part.stat().st_size for part in parts[:-1]} == {65536}
    assert b"".join(part.read_bytes() for part in parts) == stick.full.read_bytes()
    last = parts[-1].read_bytes()
    parts[-1].unlink()
    place.refused(parts[0], "truncated")
    parts[-1].write_bytes(last)
    data, other = parts[0].read_bytes(), parts[1].read_bytes()
    parts[0].write_bytes(other)
    parts[1].write_bytes(data)
    place.refused(parts[0], "the bundle")
    parts[1].write_bytes(other)
    parts[0].unlink()
    place.refused(parts[1], ".001 is missing")
    parts[0].write_bytes(data)
    assert place.take(parts[0])["current"] == 3


def test_four_gibibytes_are_one_byte_less_for_fat32(mirror: Mirror) -> None:
    from pextra_mirror.bundle import part_size

    assert part_size("4GiB") == 2**32 - 1
    assert part_size("700M") == 700_000_000
    refused = mirror.call("export", "--output", mirror.folder, "--split", "12")
    assert refused.code == 2


def test_an_import_that_was_killed_is_finished_by_the_next(
    place: Site, stick: Stick, folder: Path
) -> None:
    place.take(stick.bundles[0])
    before = place.served()
    fifo = folder / "slow.tar"
    os.mkfifo(fifo)
    process = subprocess.Popen(place.argv("import", fifo), stderr=subprocess.PIPE)
    data = stick.bundles[1].read_bytes()
    with fifo.open("wb") as pipe:
        pipe.write(data[: len(data) * 9 // 10])
        pipe.flush()
        while not list(place.tree.glob(".generations/incoming-*/*")):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert place.served() == before
    kept = list(place.tree.glob(".generations/incoming-*/*"))
    assert kept
    assert place.take(stick.bundles[1])["current"] == 2
    assert not list(place.tree.glob(".generations/incoming-*"))


def test_rollback_serves_what_was_before_and_the_next_bundle_goes_on(
    place: Site, stick: Stick
) -> None:
    place.take(stick.bundles[0])
    before = place.served()
    place.take(stick.bundles[1])
    done = place.call("rollback")
    assert (done.code, done.json["current"]) == (0, 1)
    assert {key: data for key, data in place.served().items() if "/dists/" in key} == {
        key: data for key, data in before.items() if "/dists/" in key
    }
    assert place.call("rollback").code == 7
    assert place.take(stick.bundles[2])["current"] == 3


def test_an_export_that_does_not_follow_is_refused(stick: Stick, folder: Path) -> None:
    done = stick.mirror.call("export", "--output", folder, "--since", stick.full)
    assert done.code == 7
    assert "nothing is newer" in done.err
    assert stick.mirror.call("export", "--output", folder, "--since", "17").code == 2
    assert not list(folder.glob("*.tar*"))


def test_what_the_import_tells_people(place: Site, stick: Stick, folder: Path, vendor: Key) -> None:
    def told(*words: str | Path) -> str:
        argv = [word for word in place.argv(*words) if word != "--json"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
        return done.stdout + done.stderr

    first, second, _third = stick.bundles
    assert "nothing is served yet" in told("status")
    assert "no earlier one is kept; kept: nothing" in told("rollback")
    told("import", first, "--keyring", place.key)
    told("import", second)
    assert "publication 2 is served, kept are 1, 2" in told("status")
    assert "files are as published" in told("verify")
    assert "no file is damaged" in told("repair")
    assert "remove /var/lib/apt/lists" in told("rollback")
    assert "remove /var/lib/apt/lists" not in told("rollback", "--to", "2"), "no step back"
    assert "--keyring takes what" in told("import", second, "--keyring", vendor.public)
