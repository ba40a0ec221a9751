# SPDX-License-Identifier: Apache-2.0
"""What a run of pextra-image works on: folders, architecture, key, mirrors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pextra_image.architecture import Architecture
from pextra_image.run import Programs
from pextra_image.signing import Key, development_key, end_agent, own_key
from pextra_image.steps import Screen

ROOT = Path(__file__).resolve().parents[2]
"""The source tree that this file is part of."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the command line, and what follows from them.

    :ivar cache: what a later run takes up again; may be removed at any time.
    :ivar output: where results go.
    :ivar sign_key: the user's key; None stands for a generated development key.
    :ivar mirrors: addresses of Debian mirrors; none stands for the machine's own apt sources.
    :ivar answers: an answer file for the medium.
    :ivar license_keys: public keys of signers whose licence keys its nodes take.
    :ivar locked: whether a locked package that is gone ends the build, instead of a new lock.
    """

    root: Path
    cache: Path
    output: Path
    architecture: Architecture
    sign_key: str | None
    mirrors: tuple[str, ...]
    programs: Programs
    screen: Screen
    answers: Path | None = None
    license_keys: tuple[Path, ...] = ()
    locked: bool = False

    @contextmanager
    def key(self) -> Iterator[Key]:
        """Find the key that signs, or make the development key; its agent ends with its use."""
        if self.sign_key is not None:
            yield own_key(self.programs, self.sign_key)
            return
        self.screen.say(
            "signing    with a DEVELOPMENT key of this folder, not for release (see --sign-key)"
        )
        home = self.cache / "development-key"
        try:
            yield development_key(self.programs, home)
        finally:
            end_agent(self.programs, home)
