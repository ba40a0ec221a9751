# SPDX-License-Identifier: Apache-2.0
"""What is read from and written to files: disk images and seeds."""

from __future__ import annotations

import os
import stat
import struct
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pextra.host.hypervisor import images, seed
from pextra.host.hypervisor.empty_images import EmptyImage
from pextra.model import ids
from pextra.model.errors import HostError, InputError

# Images


def qcow2(
    size: int = 1 << 30, *, version: int = 3, backing: int = 0, incompatible: int = 0
) -> bytes:
    """A header as of https://www.qemu.org/docs/master/interop/qcow2.html."""
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", version, backing, 0, 16, size)
    return head.ljust(72, b"\0") + struct.pack(">Q", incompatible) + bytes(400)


def written(path: Path, data: bytes) -> str:
    """The path of a file with this content."""
    path.write_bytes(data)
    return str(path)


@given(size=st.integers(0, 1 << 62), version=st.sampled_from([2, 3]))
def test_size_of_a_qcow2_image_is_what_its_guest_sees(
    tmp_path_factory: pytest.TempPathFactory, size: int, version: int
) -> None:
    path = written(tmp_path_factory.mktemp("image") / "a", qcow2(size, version=version))
    found = images.check_source(path)
    assert (found.format, found.size) == ("qcow2", size)


@pytest.mark.parametrize(
    "head", [qcow2(backing=512), qcow2(incompatible=4), qcow2(version=2, backing=1)]
)
def test_qcow2_image_that_reads_another_file_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(InputError, match="refers to another file"):
        images.check_source(written(tmp_path / "a", head))


def test_dirty_or_other_features_of_qcow2_are_no_reason_to_refuse(tmp_path: Path) -> None:
    assert images.check_source(written(tmp_path / "a", qcow2(incompatible=0b11)))


@pytest.mark.parametrize(
    ("offset", "mark"), [(510, b"\x55\xaa"), (32769, b"CD001"), (1080, b"\x53\xef"), (0, b"XFSB")]
)
def test_raw_disk_is_known_by_what_is_on_it(tmp_path: Path, offset: int, mark: bytes) -> None:
    data = bytearray(65536)
    data[offset : offset + len(mark)] = mark
    found = images.check_source(written(tmp_path / "a", bytes(data)))
    assert (found.format, found.size) == ("raw", 65536)


@given(data=st.binary(max_size=700))
def test_any_other_file_is_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = written(tmp_path_factory.mktemp("image") / "a", data)
    try:
        found = images.check_source(path)
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert data[510:512] == b"\x55\xaa" or data[:4] in (b"XFSB", b"QFI\xfb")
        assert found.path == path
    assert not message or path in message


def test_missing_image_and_directory_are_refused(tmp_path: Path) -> None:
    assert images.probe(str(tmp_path / "none")) is None
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            images.check_source(str(path))


def test_raw_volume_appears_whole_and_for_root_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "a.raw")
    images.create(path, "raw", 1 << 20, None)
    found = images.look(path, "raw")
    assert found is not None
    assert (found.format, found.size) == ("raw", 1 << 20)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not images.remnant(path)
    images.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_volume_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "missing" / "a.raw")
    with pytest.raises(HostError, match="could not be made"):
        images.create(path, "raw", 1 << 20, None)
    assert list(tmp_path.iterdir()) == []


def test_copy_is_equal_and_whole(tmp_path: Path) -> None:
    template = EmptyImage(written(tmp_path / "template", qcow2()))
    images.copy(template, str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == qcow2()


@given(st.lists(st.sampled_from([b"", b"x", b"\0" * 10_000, b"y" * 5000]), max_size=6))
def test_copy_has_holes_where_an_empty_image_has_zeros(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    with tempfile.TemporaryDirectory() as folder:
        template = EmptyImage(written(Path(folder, "template"), whole))
        for name in ("first", "second"):
            copy = Path(folder, name)
            copy.write_bytes(b"left by a run that was killed" * 2000)
            template.copy(str(copy))
            assert copy.read_bytes() == whole


def test_a_copy_of_an_empty_image_takes_little(tmp_path: Path) -> None:
    whole = qcow2() + b"\0" * 2**20
    images.copy(EmptyImage(written(tmp_path / "template", whole)), str(tmp_path / "copy"))
    assert (tmp_path / "copy").stat().st_size == len(whole)
    assert (tmp_path / "copy").stat().st_blocks * 512 < 2**16


def test_remnant_of_an_interrupted_run_is_seen_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.qcow2"
    written(tmp_path / "a.qcow2.unfinished", b"half")
    assert images.remnant(str(path))
    images.remove(str(path))
    assert list(tmp_path.iterdir()) == []


# Seeds

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=8), values, max_size=4), st.text(min_size=1, max_size=30))
def test_seed_says_what_was_given(mapping: dict[str, object], user_data: str) -> None:
    files = seed.contents(
        "inst-1", "vm", {"meta_data": mapping, "network_config": mapping, "user_data": user_data}
    )
    given = {"instance-id": "inst-1", "local-hostname": "vm", **mapping}
    assert yaml.safe_load(files["meta-data"]) == given
    assert files["user-data"] == user_data
    if mapping:
        assert yaml.safe_load(files["network-config"]) == mapping
    else:
        assert "network-config" not in files


def test_seed_has_every_letter_as_cloud_init_reads_it() -> None:
    given = {"note": "\U0001f600 \u00fc \\ud83d \x7f \x85 \u2028 \ufeff"}
    files = seed.contents("inst-1", "vm", {"meta_data": given, "network_config": given})
    for name in ("meta-data", "network-config"):
        assert yaml.safe_load(files[name])["note"] == given["note"]
        assert files[name].isascii()


def test_seed_without_options_is_one_that_cloud_init_reads() -> None:
    files = seed.contents("inst-1", "vm", {})
    assert set(files) == {"meta-data", "user-data"}
    assert files["user-data"].startswith("#cloud-config\n")
    assert yaml.safe_load(files["user-data"]) == {}
    assert yaml.safe_load(files["meta-data"])["local-hostname"] == "vm"


@given(st.text(max_size=10), st.text(max_size=10))
def test_other_contents_have_another_path(one: str, two: str) -> None:
    paths = [seed.digest({"user-data": text}) for text in (one, two)]
    assert (paths[0] == paths[1]) == (one == two)


def test_seeds_are_found_by_their_instance_unfinished_ones_too(tmp_path: Path) -> None:
    one, two = (ids.new_id("inst") for _index in range(2))
    assert seed.found(str(tmp_path), [one]) == {}
    (tmp_path / "seeds").mkdir()
    for name in (f"{one}-a.iso", f"{one}-b.iso.unfinished", f"{two}-a.iso", "other"):
        written(tmp_path / "seeds" / name, b"")
    assert seed.found(str(tmp_path), [one]) == {
        one: (f"{tmp_path}/seeds/{one}-a.iso", f"{tmp_path}/seeds/{one}-b.iso.unfinished")
    }
