# SPDX-License-Identifier: Apache-2.0
"""What a medium says of itself: its identifier follows from all that is on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pextra_image.iso import Answers, identifier, read_answers
from pextra_image.run import ImageError


def test_media_with_other_answers_are_other_media(tmp_path: Path) -> None:
    (tmp_path / "filesystem.squashfs").write_bytes(b"root")
    made = [
        identifier(tmp_path, "x 1", answers)
        for answers in (
            None,
            Answers("answers.yaml", b"a"),
            Answers("answers.yaml", b"b"),
            Answers("answers.toml", b"a"),
        )
    ]
    assert len(set(made)) == 4
    assert made[0] == identifier(tmp_path, "x 1")
    assert made[0] != identifier(tmp_path, "x 2")


def test_answers_get_the_name_that_the_installer_looks_for(tmp_path: Path) -> None:
    path = tmp_path / "node1.toml"
    path.write_bytes(b"version = 1\n")
    assert read_answers(path) == Answers("answers.toml", b"version = 1\n")
    assert read_answers(None) is None


@pytest.mark.parametrize("name", ["answers.json", "missing.yaml"])
def test_what_cannot_be_answers_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "answers.json").write_text("{}")
    with pytest.raises(ImageError, match=name):
        read_answers(tmp_path / name)
