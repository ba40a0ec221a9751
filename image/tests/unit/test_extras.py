# SPDX-License-Identifier: Apache-2.0
"""What goes on a medium besides the system is checked before anything is built."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from pextra.licensing import keys, token
from pextra_image import build
from pextra_image.cli import main
from pextra_image.extras import PLAIN, read
from pextra_image.run import ImageError

ANSWERS = """\
version: 1
agreement: accepted
hostname: node1
organization: Example
administrator: {password: correct horse battery}
disk: {match: [{}]}
"""
Signed = Callable[[int], str]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "node1.yaml"
    path.write_text(ANSWERS)
    return path


@pytest.fixture
def seller(tmp_path: Path) -> tuple[Path, Signed]:
    """A signer's public key, and what signs licence keys for so many days from now."""
    private, public = keys.generate_pair()
    path = tmp_path / "seller.pem"
    path.write_bytes(keys.public_pem(public))
    now = dt.datetime.now(dt.UTC)

    def sign(days: int) -> str:
        begin, end = now - dt.timedelta(days=900), now + dt.timedelta(days=days)
        return token.issue(private, "Example", "standard", begin, end)

    return path, sign


def test_a_plain_medium_has_nothing() -> None:
    assert read(None, ()) == PLAIN
    assert not PLAIN.answers


def test_answers_get_the_name_that_the_installer_looks_for_and_name_the_medium(
    answers: Path, seller: tuple[Path, Signed]
) -> None:
    made = read(answers, [seller[0]])
    assert made.answers
    assert made.label == "node1"
    assert {extra.name: extra.data for extra in made.files} == {
        "answers.yaml": ANSWERS.encode(),
        "license-keys.d/seller.pem": seller[0].read_bytes(),
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("answers.json", "{}", "its name does not tell the format"),
        ("missing.yaml", None, "cannot be read"),
        ("node1.yaml", ANSWERS.replace("node1", "node 1"), "line 3: hostname: 'node 1' is not"),
        ("node1.yaml", "version: 1\n", "agreement: it is missing"),
        ("node1.toml", ANSWERS, "line 1: this is not TOML"),
    ],
)
def test_answers_that_the_installer_would_refuse_are_refused(
    tmp_path: Path, name: str, text: str | None, reason: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(ImageError, match=reason):
        read(path, ())


def test_a_licence_key_in_the_answers_is_one_that_the_node_will_take(
    answers: Path, seller: tuple[Path, Signed]
) -> None:
    public, sign = seller
    answers.write_text(f"{ANSWERS}license_key: {sign(9)}\n")
    assert read(answers, [public]).answers
    with pytest.raises(ImageError, match="it would trust none"):
        read(answers, ())
    answers.write_text(f"{ANSWERS}license_key: {sign(-9)}\n")
    with pytest.raises(ImageError, match="the licence expired"):
        read(answers, [public])


def test_a_file_that_is_no_public_key_of_a_signer_is_refused(tmp_path: Path) -> None:
    private, public = keys.generate_pair()
    good = keys.public_pem(public)
    for name, data, reason in (
        ("seller.txt", good, "another name"),
        ("evaluation.pem", good, "a node's own key"),
        ("seller.pem", private, "holds a private key"),
        ("seller.pem", b"", "no public key"),
        ("none.pem", None, "cannot be read"),
    ):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(ImageError, match=reason):
            read(None, [path])
    (tmp_path / "a").mkdir()
    for path in (tmp_path / "seller.pem", tmp_path / "a/seller.pem"):
        path.write_bytes(good)
    with pytest.raises(ImageError, match="rename one"):
        read(None, [tmp_path / "seller.pem", tmp_path / "a/seller.pem"])


def test_the_command_says_what_is_wrong_with_answers_before_it_builds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "snapshot", lambda *_arguments: pytest.fail("it builds"))
    path = tmp_path / "node1.yaml"
    path.write_text("version: 1\n")
    argv = ["build", "--answers", str(path), "--cache", str(tmp_path / "c"), "--output"]
    assert main([*argv, str(tmp_path / "o")]) == 1
    assert "hostname: it is missing" in capsys.readouterr().err
