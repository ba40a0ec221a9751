"""What each command does: a result as JSON has it, with ``text`` for people.

What a sync does not need is imported where it is used: with nothing new, the start is most of it.
"""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from pextra_mirror import console, files, identity, publication
from pextra_mirror import status as state
from pextra_mirror.config import EXAMPLE, Config, load
from pextra_mirror.errors import ConfigError, Damaged, MirrorError
from pextra_mirror.gpg import KeyStore
from pextra_mirror.holdings import Holdings
from pextra_mirror.listing import Listing
from pextra_mirror.lock import locked
from pextra_mirror.progress import Progress, size
from pextra_mirror.sync import sync as sync_source
from pextra_mirror.tree import Tree

Result = dict[str, Any]


def init(wanted: argparse.Namespace) -> Result:
    """Make what is missing; without a configuration, write the example and leave it at that."""
    if not wanted.config.exists():
        wanted.config.parent.mkdir(parents=True, exist_ok=True)
        wanted.config.write_text(EXAMPLE)
        return {
            "config_written": True,
            "text": f"{wanted.config} is an example: edit it, then run `pextra-mirror init` again",
        }
    config = load(wanted.config)
    for source in config.sources:
        # The example as it was written has one that is nowhere.
        if not source.keyring.exists():
            raise ConfigError(
                f"source {source.name}: the keyring {source.keyring} is not there",
                f"Copy the keys there that sign the source, or edit {wanted.config}",
            )
    with locked(config.root, "init", wanted.wait):
        config.root.chmod(0o755)
        store = KeyStore(config.gnupg)
        store.prepare()
        before = store.fingerprints()
        if wanted.import_key:
            store.take(wanted.import_key, config.signing_key)
        name = identity.make(config)
        if not store.fingerprints():
            store.create(f"pextra-mirror {name}")
        files.folder(config.public, config.root)
        key = store.chosen(config.signing_key)
    text = f"mirror {name} in {config.root}, signed by {key}"
    if key not in before and Tree(config.public).current() is not None:
        text += (
            "\nif that is another key than before, `pextra-mirror publish --force` signs with it "
            "what is served, and nodes and sites need what `pextra-mirror key` prints"
        )
    return {
        "mirror": name, "root": str(config.root), "key": key, "config_written": False,
        "text": text,
    }  # fmt: skip


def sync(config: Config, wanted: argparse.Namespace) -> Result:
    """Sync the sources, and publish if asked; the first failure ends it."""
    identity.read(config)
    sources = [config.source(name) for name in wanted.source] or list(config.sources)
    result: Result = {"sources": []}
    lines: list[str] = []
    with locked(config.root, "sync", wanted.wait):
        holdings = Holdings(config)
        try:
            for source in sources:
                found = sync_source(
                    config, source, holdings, quiet=wanted.quiet, accept=wanted.accept
                )
                result["sources"].append(state.as_json(found))
                what = "new snapshots" if found.changed else "nothing new"
                lines.append(f"{source.name}: {what}, {size(found.received)} transferred")
            if wanted.publish:
                result["held"] = publication.held(config)
            if wanted.publish and not result["held"]:
                result |= published(*serve_snapshots(config, holdings))
                lines.append(result["text"])
            else:
                publication.Publisher(config, holdings).heal()
                if wanted.publish:
                    lines.append(
                        f"not published: {result['held']}; `pextra-mirror publish` goes on"
                    )
        finally:
            state.write_metrics(config)
    return result | {"text": "\n".join(lines)}


def serve_snapshots(
    config: Config, holdings: Holdings | None = None, *, force: bool = False
) -> tuple[Listing, bool]:
    """Publish the last snapshots; a failure is noted, for `status`."""
    try:
        snapshots = publication.complete_snapshots(config)
        found = publication.Publisher(config, holdings).publish(snapshots, force=force)
    except (MirrorError, OSError) as error:
        with contextlib.suppress(OSError):
            publication.note_failure(config, str(error))
        raise
    publication.note_failure(config, "")
    return found


def published(listing: Listing, new: bool) -> Result:
    """The result of a publication."""
    word = "is served now" if new else "is served already, nothing is newer"
    return {
        "changed": new, "publication": listing.sequence, "files": len(listing.files),
        "snapshots": listing.snapshots, "text": f"publication {listing.sequence} {word}",
    }  # fmt: skip


def publish(config: Config, wanted: argparse.Namespace) -> Result:
    """Publish the last snapshots."""
    with locked(config.root, "publish", wanted.wait):
        listing, new = serve_snapshots(config, force=wanted.force)
        publication.hold(config, "")
        state.write_metrics(config)
    return published(listing, new)


def rollback(config: Config, wanted: argparse.Namespace) -> Result:
    """Publish again what an earlier publication had."""
    with locked(config.root, "rollback", wanted.wait):
        listing = publication.rollback(config, wanted.to)
        state.write_metrics(config)
    found = published(listing, True)
    more = "; `sync --publish` publishes nothing until `pextra-mirror publish`"
    return found | {"text": found["text"] + more, "held": publication.held(config)}


def status(config: Config, _wanted: argparse.Namespace) -> Result:
    """The state of everything."""
    found = state.status(config)
    return {**found, "text": state.text(found), "exit_code": 0 if found["healthy"] else 10}


def export(config: Config, wanted: argparse.Namespace) -> Result:
    """Write a bundle."""
    from pextra_mirror import bundle

    split = bundle.part_size(wanted.split) if wanted.split else 0
    progress = Progress("export", quiet=wanted.quiet)
    with locked(config.root, "export", wanted.wait):
        found = bundle.export(
            config, wanted.output, since=wanted.since, request=wanted.request, split=split,
            on_total=progress.expect, on_bytes=progress.add,
        )  # fmt: skip
    progress.end()
    names = "\n".join(map(str, found.parts))
    base = f"since publication {found.base}" if found.base else "complete"
    text = f"publication {found.target}, {base}: {found.members} files, {size(found.bytes)}"
    text += f", signed by {found.key}"
    return {**state.as_json(found), "text": f"{names}\n{text}"}


def take(wanted: argparse.Namespace) -> int:
    """Import a bundle, as import-bundle.pyz does."""
    from pextra_mirror import bundle_cli

    argv = ["--tree", str(wanted.tree), *(["--json"] if wanted.json else []), "import"]
    argv += ["--keyring", str(wanted.keyring)] if wanted.keyring else []
    return bundle_cli.main([*argv, str(wanted.bundle)])


def verify(config: Config, wanted: argparse.Namespace) -> Result:
    """Hash what is served; with --repair, mend it."""
    from pextra_mirror import doctor as surgery

    with locked(config.root, "verify", wanted.wait):
        listing, bad = publication.verify(config)
        count = len(bad)
        if bad and wanted.repair:
            listing, bad = surgery.repair(config, quiet=wanted.quiet)
        state.write_metrics(config)
    if bad:
        raise Damaged(
            f"{len(bad)} of {len(listing.files)} served files are not what was published: "
            f"{', '.join(bad[:5])}",
            "Its source has other packages by now: `pextra-mirror sync --publish` serves those"
            if wanted.repair else "`pextra-mirror verify --repair` mends them",
        )  # fmt: skip
    text = f"publication {listing.sequence}: {len(listing.files)} files are as published"
    return {
        "sequence": listing.sequence, "files": len(listing.files), "mended": count,
        "bytes": sum(entry.size for entry in listing.files),
        "text": f"{text}, {count} of them since now" if count else text,
    }  # fmt: skip


def doctor(config: Config, wanted: argparse.Namespace) -> Result:
    """Name what is wrong with the mirror, and mend it."""
    from pextra_mirror import doctor as surgery

    with locked(config.root, "doctor", wanted.wait):
        found = surgery.examine(config, mend=not wanted.check)
        state.write_metrics(config)
    left = [item for item in found if not item.mended]
    lines = [f"{'mended' if item.mended else 'found'}: {item.what}{item.advice and '. '}"
             f"{'' if item.mended else item.advice}" for item in found]  # fmt: skip
    return {
        "findings": [state.as_json(item) for item in found], "exit_code": 8 if left else 0,
        "text": "\n".join(lines or ["nothing is wrong"]),
    }  # fmt: skip


def key(config: Config, _wanted: argparse.Namespace) -> Result:
    """The public key."""
    store = KeyStore(config.gnupg)
    chosen = store.chosen(config.signing_key)
    text = store.public(chosen, armour=True).decode().rstrip()
    return {"fingerprint": chosen, "public_key": text, "text": text}


def serve(config: Config, wanted: argparse.Namespace) -> Result:
    """Serve the tree until a signal comes."""
    from pextra_mirror.serve import server

    with server(config.public, wanted.address, wanted.port) as running:
        host, port = running.server_address[:2]
        console.tell(f"serving {config.public} at http://{host!s}:{port}/")
        running.serve_forever()
    return {}
