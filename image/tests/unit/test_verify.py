# SPDX-License-Identifier: Apache-2.0
"""The chain of checks names the link that is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pextra_image.files import sha256_of
from pextra_image.run import ImageError, Programs
from pextra_image.signing import development_key
from pextra_image.verify import expected_checksum, verify


@pytest.fixture(autouse=True)
def agents(tmp_path: Path) -> Iterator[None]:
    """Ends the agents that keys have."""
    yield
    for keys in tmp_path.glob("*/private-keys-v1.d"):
        Programs().run(["gpgconf", "--homedir", str(keys.parent), "--kill", "all"])


@pytest.fixture
def iso(tmp_path: Path) -> Path:
    """A file that is signed as an ISO is."""
    programs, path = Programs(), tmp_path / "x.iso"
    path.write_bytes(b"medium" * 1000)
    checksum = tmp_path / "x.iso.sha256"
    checksum.write_text(f"{sha256_of(path)}  x.iso\n")
    key = development_key(programs, tmp_path / "home")
    key.sign(programs, checksum, tmp_path / "x.iso.sha256.asc")
    key.sign(programs, path, tmp_path / "x.iso.asc")
    key.export(programs, tmp_path / "key.asc")
    return path


def problems(iso: Path) -> dict[str, str]:
    checks = verify(Programs(), iso, iso.with_name("key.asc"), lambda count: None)
    return {check.what: check.problem for check in checks if check.problem}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def resum(iso: Path) -> None:
    flip(iso)
    Path(f"{iso}.sha256").write_text(f"{sha256_of(iso)}  x.iso\n")


def test_an_iso_as_it_was_made_is_good(iso: Path) -> None:
    assert problems(iso) == {}


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        (flip, {"SHA256 of x.iso", "signature of x.iso"}),
        # Somebody who can change the ISO can change its checksum as well, but not sign.
        (resum, {"signature of x.iso.sha256", "signature of x.iso"}),
        (lambda iso: Path(f"{iso}.asc").unlink(), {"signature of x.iso"}),
        (lambda iso: Path(f"{iso}.sha256.asc").write_text("x"), {"signature of x.iso.sha256"}),
        (lambda iso: Path(f"{iso}.sha256").unlink(),
         {"SHA256 of x.iso", "signature of x.iso.sha256"}),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(
    iso: Path, damage: Callable[[Path], object], broken: set[str]
) -> None:
    damage(iso)
    assert set(problems(iso)) == broken


def test_a_signature_of_another_key_is_not_taken(iso: Path, tmp_path: Path) -> None:
    other = development_key(Programs(), tmp_path / "other")
    other.export(Programs(), tmp_path / "key.asc")
    assert set(problems(iso)) == {"signature of x.iso.sha256", "signature of x.iso"}


def test_a_checksum_is_read_for_the_file_of_that_name_only() -> None:
    digest = "ab" * 32
    assert expected_checksum(f"{digest}  x.iso\n", "x.iso") == digest
    assert expected_checksum(f"{digest}\n", "x.iso") == digest
    for text in (f"{digest}  y.iso\n", "", "abc  x.iso\n"):
        with pytest.raises(ImageError, match=r"x\.iso"):
            expected_checksum(text, "x.iso")
