"""Syncing: what comes, what is refused, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from pathlib import Path

import pytest

from apt_client import AptClient
from mirror_bed import (
    PARTS,
    Builder,
    Fault,
    Key,
    Mirror,
    SourceRepository,
    platform,
)


def pool(mirror: Mirror) -> set[str]:
    """Names of the packages that are served."""
    return {path.name.partition("_")[2] for path in mirror.public.glob("*/pool/**/*.deb")}


def test_first_sync_serves_every_component_to_apt(mirror: Mirror, site: str, folder: Path) -> None:
    found = mirror.run("sync", "--publish")
    assert (found["publication"], found["changed"]) == (1, True)
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key())
    client.update()
    client.install("pce-common")
    assert client.installed() == {"pce-common": "1.0", **dict.fromkeys(PARTS, "1.0")}


def test_arm64_is_served_too(mirror: Mirror, site: str, folder: Path) -> None:
    mirror.run("sync", "--publish")
    client = AptClient(folder / "n", f"{site}/pextra", mirror.key(), architecture="arm64")
    client.update()
    done = client.call("apt-get", "install", "--yes", "--download-only", "pce-common")
    assert done.code == 0, done.err
    assert len(list((client.root / "var/cache/apt/archives").glob("*_arm64.deb"))) == 4


def test_a_sync_with_nothing_new_asks_for_the_release_only(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    mirror.run("sync", "--publish")
    upstream.paths()
    again = mirror.run("sync", "--publish")
    assert upstream.paths() == ["dists/bookworm/InRelease"]
    assert (again["publication"], again["changed"]) == (1, False)
    assert again["sources"][0]["changed"] is False


def test_a_release_signed_anew_with_the_same_packages_is_no_new_publication(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("1.0"))
    assert mirror.run("sync", "--publish")["changed"] is False


def test_a_new_version_comes_alone_and_reaches_apt(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    mirror.run("sync", "--publish")
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key())
    client.update()
    upstream.paths()
    upstream.release(builder.platform("1.0") + builder.platform("2.0"))
    mirror.run("sync", "--publish")
    fetched = [path for path in upstream.paths() if path.endswith(".deb")]
    assert len(fetched) == len(set(fetched)) == 8
    assert all("_2.0_" in path for path in fetched)
    client.update()
    assert client.candidate("pce-common") == "2.0"


def test_a_removed_package_goes_when_its_last_publication_does(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.configure(platform(upstream), keep=2)
    mirror.run("sync", "--publish")
    extra = builder.deb("extra", "1", "amd64")
    upstream.release([*builder.platform("1.0"), extra])
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("1.0"))
    mirror.run("sync", "--publish")
    index = mirror.public / "pextra/dists/bookworm/common/binary-amd64/Packages"
    assert "Package: extra" not in index.read_text()
    assert "extra_1_amd64.deb" in pool(mirror), "clients of the publication before may want it"
    upstream.release(builder.platform("2.0"))
    mirror.run("sync", "--publish")
    assert "extra_1_amd64.deb" not in pool(mirror)
    files = [path for path in mirror.root.rglob("*") if path.is_file()]
    assert not [path for path in files if path.read_bytes() == extra.data]


@pytest.mark.parametrize("command", ["sync", "publish"])
def test_what_another_key_signed_is_refused_and_never_published(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, stranger: Key, command: str
) -> None:
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("2.0"), key=stranger)
    refused = mirror.call("sync", "--publish")
    assert refused.code == 3
    assert "source pextra" in refused.err
    assert stranger.fingerprint[-16:] in refused.err
    if command == "publish":
        refused = mirror.call("publish")
        assert refused.code == 10
        assert "source pextra failed to sync" in refused.err
    assert not any("_2.0_" in name for name in pool(mirror))
    assert mirror.call("status").code == 10


def test_a_key_of_the_keyring_that_is_not_allowed_is_refused_by_name(
    mirror: Mirror, upstream: SourceRepository, stranger: Key
) -> None:
    mirror.configure(platform(upstream, fingerprints=[stranger.fingerprint]))
    refused = mirror.call("sync")
    assert refused.code == 3
    assert upstream.key.fingerprint in refused.err
    assert stranger.fingerprint in refused.err


def test_text_beside_the_signed_message_is_refused(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    path = upstream.root / "dists/bookworm/InRelease"
    path.write_bytes(b"Origin: Evil\n" + path.read_bytes())
    assert mirror.call("sync").code == 3


def test_a_changed_release_is_refused(mirror: Mirror, upstream: SourceRepository) -> None:
    path = upstream.root / "dists/bookworm/InRelease"
    path.write_bytes(path.read_bytes().replace(b"Origin: Vendor", b"Origin: Vendar"))
    refused = mirror.call("sync")
    assert refused.code == 3
    assert "BADSIG" in refused.err


@pytest.mark.parametrize(("fields", "moment", "said"), [
    ("Valid-Until: Thu, 02 Jan 2020 00:00:00 UTC\n", None, "expired at 2020-01-02"),
    ("", 1_500_000_000, "older than"),
])  # fmt: skip
def test_an_expired_or_older_release_is_refused(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, fields: str, moment: int | None,
    said: str,
) -> None:  # fmt: skip
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("2.0"), fields=fields, moment=moment)
    refused = mirror.call("sync", "--publish")
    assert refused.code == 3
    assert said in refused.err
    assert mirror.run("verify")["sequence"] == 1


def test_a_component_that_the_source_lacks_is_named(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    mirror.configure(platform(upstream, components=["common", "beta"]))
    refused = mirror.call("sync")
    assert refused.code == 3
    assert "has no beta" in refused.err


def test_a_broken_transfer_goes_on_where_it_was(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    big = builder.deb("big", "1", "amd64", size=3_000_000)
    upstream.release([*builder.platform("1.0"), big])
    upstream.faults["big_1_amd64.deb"] = Fault(after=2_000_000)
    failed = mirror.call("sync", "--publish")
    assert failed.code == 4
    assert "big_1_amd64.deb" in failed.err
    assert mirror.call("status").json["sources"][0]["state"] == "failed"
    assert mirror.call("publish").code == 10
    assert not pool(mirror)
    before = len(upstream.requests)
    upstream.faults.clear()
    mirror.run("sync", "--publish")
    again = [item for item in upstream.requests[before:] if item[0].endswith(".deb")]
    assert ("pool/common/big_1_amd64.deb", "bytes=2000000-") in again
    assert {path for path, _range in again if "common/" in path} == {big.path}
    assert "big_1_amd64.deb" in pool(mirror)


@pytest.mark.timeout(120)
def test_a_package_that_drips_holds_up_no_other(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    slow = builder.deb("aaa", "1", "amd64", size=100_000)
    others = [builder.deb(f"part{number}", "1", "amd64") for number in range(20)]
    upstream.release([slow, *others])
    upstream.faults["aaa_1_amd64.deb"] = Fault(after=10**6, drip=0.1)
    mirror.configure(platform(upstream), transfers=2, slowest=0, timeout=3600)
    process = mirror.start("sync", "--quiet")
    try:
        while len(list(mirror.root.glob("fetched/*"))) < len(others):
            assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
    fetched = {path.name for path in mirror.root.glob("fetched/*")}
    assert fetched == {hashlib.sha256(deb.data).hexdigest() for deb in others}
    upstream.faults.clear()
    mirror.run("sync", "--publish")


def test_a_connection_that_breaks_again_and_again_is_taken_up_again(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    big = builder.deb("big", "1", "amd64", size=3_000_000)
    upstream.release([*builder.platform("1.0"), big])
    upstream.faults["big_1_amd64.deb"] = Fault(after=1_000_000, times=1)
    mirror.run("sync", "--publish")
    assert mirror.run("verify")["sequence"] == 1


def test_a_package_that_is_not_what_the_index_says_is_refused(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    path = upstream.root / "pool/common/pce-web_1.0_amd64.deb"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    failed = mirror.call("sync", "--publish")
    assert failed.code == 4
    assert "pce-web_1.0_amd64.deb is not what the signed index says" in failed.err
    assert not pool(mirror)


def test_an_index_that_is_not_what_the_release_says_is_refused(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    path = upstream.root / "dists/bookworm/common/binary-amd64/Packages.gz"
    path.write_bytes(b"something else")
    failed = mirror.call("sync")
    assert failed.code == 4
    assert "is not what the signed Release says" in failed.err


def test_indexes_are_fetched_by_hash_where_the_source_has_them(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    for path in (upstream.root / "dists/bookworm").rglob("Packages*"):
        path.unlink()
    upstream.release(builder.platform("2.0"), by_hash=True)
    mirror.run("sync", "--publish")
    assert mirror.run("verify")["files"] > 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_sync_is_no_success_and_is_finished_by_the_next(
    mirror: Mirror, upstream: SourceRepository, number: signal.Signals
) -> None:
    upstream.faults["_amd64.deb"] = Fault(after=0)
    mirror.configure(platform(upstream), retries=50)
    process = mirror.start("sync", "--publish")
    while not any(path.endswith("_amd64.deb") for path, _range in upstream.requests):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    state = mirror.call("status")
    assert state.code == 10
    assert state.json["sources"][0]["state"] in ("failed", "interrupted")
    assert mirror.call("publish").code == 10
    upstream.faults.clear()
    assert mirror.run("sync", "--publish")["publication"] == 1


def test_of_two_syncs_at_once_the_second_says_who_works(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    upstream.faults["_amd64.deb"] = Fault(after=0)
    mirror.configure(platform(upstream), retries=50)
    first = mirror.start("sync")
    while not upstream.requests:
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    second = mirror.call("sync")
    assert second.code == 6
    assert f"process {first.pid}" in second.err
    assert json.loads(second.out)["error"] == "busy"
    assert mirror.call("status").json["busy"]["pid"] == first.pid
    upstream.faults.clear()
    waiting = mirror.call("sync", "--wait", "60")
    assert (waiting.code, first.wait()) == (0, 0)
    first.communicate()


def test_a_sync_that_does_not_fit_is_refused_before_anything_is_fetched(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    mirror.configure(platform(upstream), reserve=2**60)
    refused = mirror.call("sync")
    assert refused.code == 5
    assert "8 packages of" in refused.err
    assert not [path for path in upstream.paths() if path.endswith(".deb")]
