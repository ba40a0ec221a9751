"""The doctor names what is wrong with a mirror, and mends what nothing else would."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mirror_bed import Builder, Mirror, SourceRepository, platform


def flip(path: Path) -> None:
    """One bit is another."""
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def test_what_a_removed_source_had_goes(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    upstream.release([builder.deb("other", "1", "amd64", "main")], distribution="trixie",
                     components=["main"])  # fmt: skip
    more = platform(
        upstream, name="more", distribution="trixie", components=["main"], prefix="more"
    )
    mirror.configure(platform(upstream), more, keep=2)
    mirror.run("sync", "--publish")
    assert list(mirror.root.rglob("*_other_1_amd64.deb"))
    mirror.configure(platform(upstream), keep=2)
    findings = mirror.run("doctor")["findings"]
    assert all(item["mended"] for item in findings)
    assert "source more, which is not configured" in str(findings)
    assert mirror.run("status")["publication"]["sequence"] == 2
    mirror.run("publish", "--force")
    assert not list(mirror.root.rglob("*_other_1_amd64.deb"))
    assert not [path for path in mirror.root.rglob("*") if path.name.startswith("more-")]
    assert not (mirror.public / "more").exists()
    assert not list((mirror.root / "state").glob("source-more*"))
    assert mirror.run("doctor")["findings"] == []


def break_record(mirror: Mirror) -> None:
    """The record of the source is cut."""
    os.truncate(mirror.root / "state/source-pextra.json", 20)


def break_listing(mirror: Mirror) -> None:
    """The list of what is served is nonsense."""
    (mirror.public / ".generations/2/listing.json").write_text('{"format": 1, "files": 7}')


def break_old_listing(mirror: Mirror) -> None:
    """The list of an earlier publication is missing."""
    (mirror.public / ".generations/1/listing.json").unlink()


def lose_current(mirror: Mirror) -> None:
    """The link to what is served is gone."""
    (mirror.public / ".generations/current").unlink()


def lose_identity(mirror: Mirror) -> None:
    """The name of the mirror is gone."""
    (mirror.root / "state/identity").unlink()


def break_snapshots(mirror: Mirror) -> None:
    """Every snapshot is damaged."""
    for path in (mirror.root / "snapshots").rglob("Packages.gz"):
        flip(path)
    for path in (mirror.root / "snapshots").rglob("snapshot.json"):
        path.write_text("[" * 100_000)


def leave_files(mirror: Mirror) -> None:
    """Something is left of processes that were killed, and of version 0.1."""
    (mirror.public / "pextra/pool/common/.x.99.new").write_bytes(b"x")
    (mirror.public / ".generations/7.new").mkdir()
    (mirror.public / "pextra/pool/common/stray.deb").write_bytes(b"x")
    (mirror.root / "aptly/db").mkdir(parents=True)


@pytest.mark.parametrize("harm", [
    break_record, break_listing, break_old_listing, lose_current, lose_identity, break_snapshots,
    leave_files,
])  # fmt: skip
def test_the_doctor_names_what_is_wrong_and_all_is_well_after_a_sync(
    published: Mirror, upstream: SourceRepository, builder: Builder,
    harm: Callable[[Mirror], None],
) -> None:  # fmt: skip
    upstream.release(builder.platform("1.0") + builder.platform("2.0"))
    published.run("sync", "--publish")
    before = published.run("status")["mirror"]
    harm(published)
    checked = published.call("doctor", "--check")
    assert checked.code == 8
    assert checked.json["findings"]
    assert "Traceback" not in published.call("status").err
    done = published.call("doctor")
    assert "Traceback" not in done.err
    published.run("sync", "--publish")
    assert published.run("doctor")["findings"] == []
    assert published.run("status")["healthy"] is True
    assert published.run("status")["mirror"] == before
    assert published.run("verify")["mended"] == 0


def test_a_file_that_others_cannot_read_and_a_key_store_that_they_can_are_named(
    published: Mirror,
) -> None:
    (published.root / "gnupg").chmod(0o755)
    assert "can be read by others" in published.run("doctor")["findings"][0]["what"]
    assert (published.root / "gnupg").stat().st_mode & 0o77 == 0


def test_a_mirror_of_version_0_1_moves_no_package_again(
    published: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    listing = published.public / ".generations/1/listing.json"
    fields = json.loads(listing.read_bytes())
    for item in fields["files"]:
        if item[0].startswith("pextra/pool/"):
            before = published.public / item[0]
            item[0] = f"pextra/pool/p/{before.name}"
            (published.public / item[0]).parent.mkdir(exist_ok=True)
            before.rename(published.public / item[0])
    fields["files"].sort()
    record = published.root / "state/source-pextra.json"
    known = json.loads(record.read_bytes())
    del known["complete"]["counts"]
    # Names had no hash then: what is made within the same second is another snapshot.
    names = known["complete"]["snapshots"]
    earlier = {component: name.rpartition("-")[0] for component, name in names.items()}
    fields["snapshots"] = dict.fromkeys(fields["snapshots"], earlier)
    known["complete"]["snapshots"] = earlier
    listing.write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")))
    record.write_text(json.dumps({**known, "complete": {**known["complete"], "indexes": ["x gz"]}}))
    shutil.rmtree(published.root / "snapshots")
    (published.root / "aptly/pool").mkdir(parents=True)
    upstream.paths()
    assert published.run("sync", "--publish")["publication"] == 2
    assert not [path for path in upstream.paths() if path.endswith(".deb")]
    assert published.run("verify")["mended"] == 0
    assert "was aptly's" in str(published.run("doctor")["findings"])
    assert published.run("doctor")["findings"] == []
    assert not (published.root / "aptly").exists()
    upstream.release(builder.platform("1.0"), moment=1_500_000_000)
    assert published.call("sync").code == 3, "what was seen before still counts"
