"""Damage is found, named and mended: on the mirror and on sites."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from mirror_site import Site

from mirror_bed import Builder, Fault, Key, Mirror, SourceRepository, platform, run
from pextra_mirror.config import load
from pextra_mirror.files import MARK
from pextra_mirror.publication import Publisher
from pextra_mirror.tree import Tree

WEB = "pce-web_1.0_amd64.deb"


def served(root: Path, name: str = WEB) -> Path:
    """A package that is served."""
    return next(root.glob(f"pextra/pool/**/*_{name}"))


def flip(path: Path) -> None:
    """One bit is another, by something that writes to the file."""
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(data) - 1)
        file.write(bytes([data[-1] ^ 1]))


def flip_silently(path: Path) -> None:
    """One bit is another, and the file system does not know, as on a failing disk."""
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path) -> None:
    """The end is missing."""
    os.truncate(path, path.stat().st_size - 1)


def exchange(path: Path) -> None:
    """Another file is in its place."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


NOTICED: tuple[Callable[[Path], object], ...] = (flip, cut, exchange, Path.unlink)


def test_the_next_sync_mends_a_package_that_was_damaged(
    published: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    path = served(published.public)
    good = path.read_bytes()
    for number, damage in enumerate(NOTICED):
        damage(path)
        status = published.call("status")
        assert (status.code, status.json["healthy"]) == (10, False)
        assert any(WEB in text for text in status.json["problems"])
        if not number:
            upstream.release(builder.platform("1.0") + builder.platform("2.0"))
        upstream.paths()
        published.run("sync", "--publish")
        fetched = [item for item in upstream.paths() if item.endswith("_1.0_amd64.deb")]
        assert [item.rpartition("/")[2] for item in fetched] == [WEB]
        assert path.read_bytes() == good
    assert published.run("verify")["mended"] == 0
    assert published.run("status")["healthy"] is True


def test_verify_finds_and_mends_a_damaged_package(published: Mirror) -> None:
    path = served(published.public)
    good = path.read_bytes()
    for damage in (flip, flip_silently, Path.unlink):
        damage(path)
        found = published.call("verify")
        assert found.code == 8
        assert WEB in found.err
        assert "verify --repair" in found.err
        assert published.run("verify", "--repair")["mended"] == 1
        assert path.read_bytes() == good


def test_a_damaged_index_of_any_kind_is_mended_from_what_is_here(published: Mirror) -> None:
    tree = Tree(published.public)
    for name in ("Packages", "Packages.gz", "Release", "InRelease", "Release.gpg"):
        path = next((published.public / ".generations/1/pextra/dists").rglob(name))
        good = path.read_bytes()
        for damage in (*NOTICED, flip_silently):
            damage(path)
            assert [entry.path.rpartition("/")[2] for entry in tree.damaged(1)] == [name]
            assert not Publisher(load(published.config)).heal()
            assert path.read_bytes() == good
    indexes = list((published.public / ".generations/1").rglob("by-hash/SHA256/*"))
    flip(indexes[0])
    flip(path)
    assert not Publisher(load(published.config)).heal()
    for index in indexes:
        assert run("sha256sum", index).split()[0].decode() == index.name


def test_what_is_damaged_and_gone_upstream_is_replaced_by_what_is_there(
    published: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    flip(served(published.public))
    upstream.release(builder.platform("2.0"))
    (upstream.root / f"pool/common/{WEB}").unlink()
    assert published.run("verify", "--repair")["sequence"] == 2
    assert published.run("status")["healthy"] is True


def test_publishing_what_is_damaged_says_who_mends_it(published: Mirror) -> None:
    flip(served(published.public))
    failed = published.call("publish", "--force")
    assert failed.code == 8
    assert "pextra-mirror sync" in failed.err
    assert "the last publication failed" in str(published.call("status").json["problems"])
    published.run("sync")
    assert published.run("publish", "--force")["publication"] == 2
    assert published.run("status")["healthy"] is True


def test_a_mirror_that_was_copied_without_links_and_times_publishes_on(
    published: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    there = published.root
    copied = published.folder / "copied"
    run("cp", "-r", there, copied)
    shutil.rmtree(copied / "gnupg")
    shutil.copytree(there / "gnupg", copied / "gnupg", ignore=shutil.ignore_patterns("S.*"))
    published.stop()
    shutil.rmtree(there)
    copied.rename(there)
    (there / "gnupg").chmod(0o700)
    upstream.paths()
    assert published.run("sync", "--publish")["changed"] is False
    assert upstream.paths() == ["dists/bookworm/InRelease"], "all of it was hashed and is sound"
    assert served(published.public).stat().st_mtime == MARK
    upstream.release(builder.platform("1.0") + builder.platform("2.0"))
    assert published.run("sync", "--publish")["publication"] == 2
    assert published.run("verify")["sequence"] == 2


def unreadable(tree: Path) -> list[Path]:
    """What a web server with a user of its own cannot read."""
    return [
        path for path in (tree, *tree.rglob("*"))
        if path.name not in ("lock", "trusted.gpg") and not path.is_symlink()
        and stat.S_IMODE(path.stat().st_mode) & 5 != (5 if path.is_dir() else 4)
    ]  # fmt: skip


def test_what_is_published_can_be_read_whatever_the_umask(
    folder: Path, upstream: SourceRepository, builder: Builder
) -> None:
    before = os.umask(0o077)
    try:
        mirror = Mirror(folder / "strict", platform(upstream))
        (mirror.folder).chmod(0o755)
        mirror.run("init")
        mirror.run("sync", "--publish")
        (bundle,) = mirror.run("export", "--output", folder / "out")["parts"]
        place = Site(folder, folder / "out/import-bundle.pyz", mirror.key())
        assert place.take(bundle).code == 0
    finally:
        os.umask(before)
    assert not unreadable(mirror.public)
    assert mirror.root.stat().st_mode & 0o5 == 0o5
    assert (mirror.root / "gnupg").stat().st_mode & 0o77 == 0
    assert not unreadable(place.tree)
    for path in (served(mirror.public), mirror.public / "pextra/pool"):
        path.chmod(path.stat().st_mode & 0o700)
    assert mirror.call("status").code == 10
    assert mirror.run("doctor")["findings"][0]["mended"] is True
    assert not unreadable(mirror.public)
    mirror.root.chmod(0o700)
    assert "cannot be read by a web server" in str(mirror.call("status").json["problems"])
    mirror.run("doctor")
    assert mirror.run("status")["healthy"] is True
    served(place.tree).parent.chmod(0o700)
    told = place.call("status")
    assert (told.code, told.json["unreadable"]) == (8, 1)
    assert place.call("repair").code == 0
    assert place.call("status").code == 0
    assert not unreadable(place.tree)
    mirror.stop()


def test_a_bundle_without_base_mends_a_site(place: Site, folder: Path) -> None:
    (bundle,) = folder.glob("out/*.tar")
    for damage in (flip, cut, exchange, Path.unlink):
        path = served(place.tree)
        good = path.read_bytes()
        damage(path)
        found = place.call("status")
        assert (found.code, found.json["damaged"]) == (8, 1)
        assert place.take(bundle).code == 0
        assert path.read_bytes() == good
    assert place.take(bundle).code == 7, "now it is a replay"


@pytest.mark.parametrize("newer", [False, True])
def test_a_site_asks_for_what_is_damaged_and_gets_that_alone(
    place: Site, published: Mirror, upstream: SourceRepository, builder: Builder, folder: Path,
    newer: bool,
) -> None:  # fmt: skip
    path, index = served(place.tree), next(place.tree.rglob("1/pextra/dists/**/Packages"))
    good = path.read_bytes()
    flip_silently(path)
    flip(index)
    assert place.call("status").json["damaged"] == 1, "the other looks as it should"
    found = place.call("verify")
    assert found.code == 8
    assert WEB in found.err
    request = folder / "request.json"
    asked = place.call("repair", "--request", request)
    assert (asked.code, asked.json["missing"]) == (8, 2)
    assert request.stat().st_size < 2000
    if newer:
        upstream.release(builder.platform("1.0") + builder.platform("2.0"))
        published.run("sync", "--publish")
    answer = published.run("export", "--output", folder / "answer", "--for", request)
    (bundle,) = answer["parts"]
    assert Path(bundle).stat().st_size < next(folder.glob("out/*.tar")).stat().st_size * 2
    if not newer:
        assert answer["members"] == 2
    done = place.call("import", bundle)
    assert done.code == 0, done.err
    assert done.json["current"] == (2 if newer else 1)
    assert path.read_bytes() == good
    assert place.call("verify").code == 0
    assert place.call("repair", "--request", folder / "none.json").json["missing"] == 0
    assert not (folder / "none.json").exists()


def test_a_request_of_another_site_and_one_that_is_none_are_refused(
    place: Site, published: Mirror, folder: Path
) -> None:
    request = folder / "request.json"
    served(place.tree).unlink()
    assert place.call("repair", "--request", request).code == 8
    fields = json.loads(request.read_bytes())
    out = ("export", "--output", folder / "answer", "--for", request)
    for text, code in (
        (json.dumps({**fields, "mirror": "another"}), 7), ("[" * 100_000, 2), ("{}", 2),
        (json.dumps({**fields, "sequence": 1e999}), 2),
    ):  # fmt: skip
        request.write_text(text)
        done = published.call(*out)
        assert done.code == code, done.err
        assert "Traceback" not in done.err
    request.write_text(json.dumps({**fields, "digest": "0" * 64}))
    answer = published.run(*out)
    assert answer["base"] is None, "a publication that is not kept is answered with all of it"


def test_status_names_a_key_that_expired_or_is_gone_and_nothing_is_exported(
    published: Mirror, folder: Path
) -> None:
    env = {"GNUPGHOME": str(published.root / "gnupg")}
    key = published.run("status")["signing_keys"][0]
    assert published.run("status")["warnings"] == []
    run("gpg", "--batch", "--quick-set-expire", key, "10d", env=env)
    found = published.run("status")
    assert found["healthy"] is True
    assert f"key {key} expires at" in found["warnings"][0]
    run("gpg", "--batch", "--faked-system-time", "20200101T000000!", "--quick-set-expire", key,
        "seconds=1", env=env)  # fmt: skip
    run("gpg", "--batch", "--quick-set-expire", key, "seconds=1", env=env)
    while "has expired" not in str(published.call("status").json["problems"]):
        pass
    for command in (("export", "--output", folder / "out"), ("publish", "--force")):
        refused = published.call(*command)
        assert refused.code == 10
        assert "has expired" in refused.err
        assert "--quick-set-expire" in refused.err
    published.stop()
    shutil.rmtree(published.root / "gnupg")
    lost = published.call("status")
    assert lost.code == 10
    assert "there is no signing key" in str(lost.json["problems"])
    assert "there is no signing key" in str(published.call("doctor").json["findings"])
    published.run("init")
    other = "bookworm/InRelease is not signed by a key that is here"
    assert other in str(published.call("status").json["problems"])
    assert other in str(published.call("doctor").json["findings"])
    published.run("publish", "--force")
    assert published.run("status")["healthy"] is True
    assert published.run("doctor")["findings"] == []


def test_status_names_a_missing_snapshot(published: Mirror) -> None:
    (snapshot,) = (published.root / "snapshots").glob("pextra-common-*")
    shutil.rmtree(snapshot)
    found = published.call("status")
    assert found.code == 10
    assert f"the snapshot {snapshot.name} is missing" in str(found.json["problems"])
    published.run("sync")
    assert published.run("status")["healthy"] is True


def test_a_sync_that_runs_is_no_problem(published: Mirror, upstream: SourceRepository) -> None:
    upstream.faults["/InRelease"] = Fault(10**6, drip=0.05)
    syncing = published.start("sync")
    try:
        while (found := published.call("status")).json["sources"][0]["state"] != "running":
            assert syncing.poll() is None
        assert found.code == 0
        assert found.json["problems"] == []
        assert found.json["busy"]["command"].startswith("sync")
    finally:
        syncing.kill()
        syncing.wait()
    assert "was interrupted" in str(published.call("status").json["problems"])


def test_status_names_a_disk_that_is_nearly_full(
    published: Mirror, upstream: SourceRepository
) -> None:
    published.configure(platform(upstream), reserve=2**60)
    found = published.call("status")
    assert found.code == 10
    assert "nearly full" in str(found.json["problems"])


def test_a_package_that_two_sources_have_is_moved_once(
    published: Mirror, upstream: SourceRepository, builder: Builder, stranger: Key
) -> None:
    debs = [deb for deb in builder.platform("1.0") if deb.component == "common"]
    upstream.release(debs, distribution="trixie", components=["common"])
    twin = platform(upstream, name="twin", distribution="trixie", components=["common"])
    published.configure(platform(upstream), twin)
    upstream.paths()
    published.run("sync", "--publish")
    assert not [path for path in upstream.paths() if path.endswith(".deb")]
    assert len(list(published.public.glob(f"*/pool/**/*_{WEB}"))) == 2
    assert published.run("verify")["sequence"] == 2
