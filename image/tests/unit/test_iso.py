# SPDX-License-Identifier: Apache-2.0
"""What a medium says of itself: its identifier follows from all that is on it."""

from __future__ import annotations

from pathlib import Path

from pextra_image.extras import PLAIN, Extra, Extras
from pextra_image.iso import identifier


def test_media_with_other_files_are_other_media(tmp_path: Path) -> None:
    (tmp_path / "filesystem.squashfs").write_bytes(b"root")
    made = [
        identifier(tmp_path, "x 1", extras)
        for extras in (
            PLAIN,
            Extras((Extra("answers.yaml", b"a"),), "a"),
            Extras((Extra("answers.yaml", b"b"),), "a"),
            Extras((Extra("answers.toml", b"a"),), "a"),
            Extras((Extra("answers.yaml", b"a"), Extra("license-keys.d/s.pem", b"k")), "a"),
        )
    ]
    assert len(set(made)) == 5
    assert made[0] != identifier(tmp_path, "x 2", PLAIN)
