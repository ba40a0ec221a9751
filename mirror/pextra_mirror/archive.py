"""This mirror's own aptly: what it has of the sources, and how it publishes that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pextra_mirror.aptly import Aptly
from pextra_mirror.changes import (
    Indexes,
    Mirror,
    Publication,
    mirror_change,
    mirror_removal,
    publication_change,
    publication_removal,
)
from pextra_mirror.config import Config, Source

_FIXED = ("archive_url", "distribution", "components", "architectures")
"""What makes another mirror of a mirror."""


class Archive(Aptly):
    """The aptly of one mirror server, with a configuration and key store of its own."""

    def __init__(self, config: Config) -> None:
        self._root = config.aptly
        self._settings = config.root / "aptly.conf"
        self._wanted = {
            "rootDir": str(config.aptly),
            "downloadConcurrency": config.transfers,
            "gpgProvider": "gpg",
            "skipLegacyPool": True,
        }
        super().__init__(self._settings, config.gnupg)

    def prepare(self) -> None:
        """Write aptly's configuration."""
        self._root.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._wanted, indent=2) + "\n"
        if not self._settings.exists() or self._settings.read_text() != text:
            self._settings.write_text(text)

    def follow(self, source: Source, component: str, query: str, keys: Path, proxy: str) -> str:
        """Have a mirror of one component of a source; its name."""
        name = f"{source.name}-{component}"
        wanted: Mirror = {
            "name": name,
            "archive_url": f"http://{source.name}.mirror.invalid/",
            "distribution": source.distribution,
            "components": [component],
            "architectures": sorted(source.architectures),
            "filter": query,
            "filter_with_deps": False,
        }
        current = self.mirror(name)
        if current and any(current.get(key) != wanted.get(key) for key in _FIXED):
            self.carry_out(mirror_removal(current, name, force=True))
            current = None
        # Debian's security archive calls its components updates/main; they were looked at.
        change = mirror_change(current, wanted, keyring=[str(keys)], force_components=True)
        self.carry_out(change, proxy=proxy)
        return name

    def update(self, name: str, keys: Path, proxy: str) -> None:
        """Take over what the source has.

        Args:
            name: The mirror.
            keys: The keyring of the source.
            proxy: The gate.

        Raises:
            AptlyFailed: Not all of it could be had; the mirror is as before.
        """
        self.call("mirror", "update", f"-keyring={keys}", name, proxy=proxy)

    def published(self) -> dict[str, dict[str, str]]:
        """The snapshot of each component, by ``prefix/distribution``."""
        return {
            f"{item['prefix']}/{item['distribution']}": item["components"]
            for item in self.publications()
        }

    def publish(
        self, source: Source, snapshots: Mapping[str, str], key: str, fields: Mapping[str, str]
    ) -> None:
        """Have exactly these snapshots published, in aptly's own public folder.

        Args:
            source: Gives prefix, distribution and architectures.
            snapshots: The snapshot of each component.
            key: Fingerprint of the signing key.
            fields: The source's own Release, of which origin, label and suite are kept.
        """
        wanted: Publication = {
            "prefix": source.prefix,
            "distribution": source.distribution,
            "components": dict(snapshots),
        }
        current = self.publication(source.prefix, source.distribution)
        if current and set(current["components"]) != set(snapshots):
            self.carry_out(
                publication_removal(current, source.prefix, source.distribution, force=True)
            )
            current = None
        if current is None:
            wanted["architectures"] = sorted(source.architectures)
            if fields.get("Origin"):
                wanted["origin"] = fields["Origin"]
            if fields.get("Label"):
                wanted["label"] = fields["Label"]
            if fields.get("Suite"):
                wanted["suite"] = fields["Suite"]
        indexes = Indexes(gpg_key=key, bz2=False, again=True)
        self.carry_out(publication_change(current, wanted, indexes))

    def drop_unpublished(self, kept: set[str]) -> list[str]:
        """Remove snapshots that are neither kept nor published, and files that nothing uses."""
        kept = kept | {name for item in self.published().values() for name in item.values()}
        gone = sorted(self.names("snapshot") - kept)
        for name in gone:
            self.call("snapshot", "drop", "-force", name)
        if gone:
            self.call("db", "cleanup")
        return gone
