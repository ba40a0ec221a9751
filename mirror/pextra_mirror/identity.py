"""What tells a mirror from any other: a word that its publications and bundles carry."""

from __future__ import annotations

import contextlib
import re
import secrets

from pextra_mirror import files, notes
from pextra_mirror.config import Config
from pextra_mirror.errors import NotReady
from pextra_mirror.tree import Tree

_IDENTITY = re.compile(r"[A-Za-z0-9._-]+")


def read(config: Config) -> str:
    """What tells this mirror from any other, made once.

    Raises:
        NotReady: `init` was never run, or it is lost.
    """
    path = config.state / "identity"
    found = notes.noted(path).strip()
    if _IDENTITY.fullmatch(found):
        return found
    if path.exists() or served(config):
        raise NotReady(f"{path} is lost or damaged", "`pextra-mirror doctor` makes it again")
    raise NotReady(f"{config.root} is no mirror yet", "pextra-mirror init")


def served(config: Config) -> str:
    """The identity that the newest publication has; empty without one."""
    tree = Tree(config.public)
    listings = map(tree.readable, reversed(tree.sequences()))
    return next((listing.mirror for listing in listings if listing), "")


def check(config: Config) -> None:
    """Refuse to go on where there is nothing of a mirror.

    Raises:
        NotReady: `init` was never run.
    """
    if not config.state.is_dir() and not config.public.is_dir():
        read(config)


def make(config: Config) -> str:
    """The mirror's identity, made if there is none: that of what it serves already, if it does."""
    with contextlib.suppress(NotReady):
        return read(config)
    restore(config, served(config) or secrets.token_hex(8))
    return read(config)


def restore(config: Config, name: str) -> None:
    """Write the mirror's identity."""
    files.folder(config.state, config.root)
    files.write(config.state / "identity", f"{name}\n".encode(), ours=True)
