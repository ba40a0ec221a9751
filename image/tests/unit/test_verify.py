# SPDX-License-Identifier: Apache-2.0
"""The chain of checks names the link that is broken."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pextra_image.files import sha256_of
from pextra_image.run import ImageError, Programs
from pextra_image.signing import DEVELOPMENT_NAME, Key, development_key
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


@pytest.mark.parametrize("name", ["missing.asc", "text.asc", "folder.asc"])
def test_a_key_that_is_none_is_named(iso: Path, name: str) -> None:
    iso.with_name("text.asc").write_text("no key\n")
    iso.with_name("folder.asc").mkdir()
    with pytest.raises(ImageError) as caught:
        verify(Programs(), iso, iso.with_name(name), lambda count: None)
    assert name in str(caught.value)
    assert "gpg:" not in str(caught.value)


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


def test_a_checksum_is_read_for_the_file_of_that_name() -> None:
    digest, other = "ab" * 32, "cd" * 32
    assert expected_checksum(f"{other}  y.iso\n{digest}  x.iso\n", "x.iso") == digest
    assert expected_checksum(f"{digest}  y.iso\n", "x.iso") == digest
    assert expected_checksum(f"{digest}\n", "x.iso") == digest
    for text in (f"{digest}  y.iso\n{other}  z.iso\n", "", "abc  x.iso\n"):
        with pytest.raises(ImageError, match=r"x\.iso"):
            expected_checksum(text, "x.iso")


def test_the_signer_is_named(iso: Path) -> None:
    checks = verify(Programs(), iso, iso.with_name("key.asc"), lambda count: None)
    signer = development_key(Programs(), iso.parent / "home")
    named = f"by {DEVELOPMENT_NAME}, {signer.fingerprint}"
    assert [check.found for check in checks] == ["", named, named]


def test_a_fingerprint_that_is_known_from_elsewhere_is_held(iso: Path) -> None:
    key, own = iso.with_name("key.asc"), development_key(Programs(), iso.parent / "home")
    spaced = " ".join(own.fingerprint[start : start + 4].lower() for start in range(0, 40, 4))
    for fingerprint, broken in ((spaced, 0), ("AB" * 20, 2)):
        checks = verify(Programs(), iso, key, lambda count: None, fingerprint)
        assert sum(bool(check.problem) for check in checks) == broken
    with pytest.raises(ImageError, match="no fingerprint"):
        verify(Programs(), iso, key, lambda count: None, "abcd")


def signed_by(tmp_path: Path, iso: Path, *options: str) -> Key:
    """Have a new key, made with these options of gpg, sign everything."""
    home = tmp_path / "new"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--batch", "--homedir", str(home), "--pinentry-mode", "loopback"]
    Programs().run([*gpg, "--passphrase", "", *options])
    listing = Programs().read([*gpg, "--with-colons", "--list-secret-keys"])
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if "fpr" in line)
    key = Key(fingerprint, home, development=False)
    clock = [item for item in options if item.startswith("--faked")]
    for path in (iso, Path(f"{iso}.sha256")):
        Path(f"{path}.asc").unlink()
        Programs().run([*gpg, *clock, "--detach-sign", "--armor", path])
    key.export(Programs(), tmp_path / "key.asc")
    return key


def test_a_key_that_has_expired_is_none(iso: Path, tmp_path: Path) -> None:
    signed_by(tmp_path, iso, "--faked-system-time=20200101T000000!", "--quick-generate-key",
              "Old <old@example.com>", "ed25519", "sign", "10d")  # fmt: skip
    assert all("has expired" in problem for problem in problems(iso).values())
    assert len(problems(iso)) == 2


def test_a_key_that_was_revoked_is_none(iso: Path, tmp_path: Path) -> None:
    key = signed_by(
        tmp_path, iso, "--quick-generate-key", "Lost <lost@example.com>", "ed25519", "sign", "never"
    )
    gpg = ["gpg", "--batch", "--homedir", str(key.home)]
    revocation = tmp_path / "new/openpgp-revocs.d" / f"{key.fingerprint}.rev"
    text = revocation.read_text().replace(":-----BEGIN", "-----BEGIN")
    revocation.write_text(text)
    Programs().run([*gpg, "--import", revocation])
    key.export(Programs(), tmp_path / "key.asc")
    assert len(problems(iso)) == 2
    assert all("was revoked: Lost" in problem for problem in problems(iso).values())


def test_a_key_that_is_too_short_is_none(iso: Path, tmp_path: Path) -> None:
    signed_by(
        tmp_path, iso, "--quick-generate-key", "Weak <weak@example.com>", "rsa1024", "sign", "never"
    )
    assert len(problems(iso)) == 2
    assert all("1024 bits" in problem for problem in problems(iso).values())


def test_a_file_that_was_renamed_after_its_download_is_good(iso: Path) -> None:
    for path in sorted(iso.parent.glob("x.iso*")):
        path.rename(path.with_name(path.name.replace("x.iso", "y.iso")))
    assert problems(iso.with_name("y.iso")) == {}


def test_a_checksum_that_is_no_text_is_named(iso: Path) -> None:
    Path(f"{iso}.sha256").write_bytes(b"\xff\xfe\x00")
    assert problems(iso)["SHA256 of x.iso"] == "its checksum file is no text"


def test_it_starts_no_agent(iso: Path) -> None:
    folder = tempfile.gettempdir() + "/tmp"
    before = agents_of(folder)
    assert problems(iso) == {}
    assert agents_of(folder) <= before


def agents_of(folder: str) -> set[str]:
    """The agents of gpg for homes whose names begin so."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_text(errors="replace").split("\0")
            if words[0].endswith("gpg-agent") and any(word.startswith(folder) for word in words):
                found.add(path.parent.name)
    return found
