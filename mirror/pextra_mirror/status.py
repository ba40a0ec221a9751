"""What state the mirror is in, for people, for scripts and for monitoring."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from pextra_mirror import console, gpg, identity, lock, publication, record
from pextra_mirror.config import Config
from pextra_mirror.errors import MirrorError, NotReady, plain
from pextra_mirror.files import write
from pextra_mirror.progress import size
from pextra_mirror.tree import Tree

_WRONG = {
    "never": "was never synced: `pextra-mirror sync` does it",
    "failed": "failed to sync, see above; the next sync tries again",
    "interrupted": "was interrupted while it synced; the next sync goes on",
}
"""What is said of a source by its state."""

OTHER_KEY = "is not signed by a key that is here, but by one that was lost or removed"
SIGN_ANEW = "`publish --force` signs it anew"


def _said(state: str) -> str:
    """What is said of a source that is in a state."""
    return _WRONG.get(state, f"is {state}")


def status(config: Config) -> dict[str, Any]:
    """Everything that is to be known, as JSON has it."""
    tree = Tree(config.public)
    current, holder = tree.current(), lock.holder(config.root)
    listing = tree.readable(current) if current is not None else None
    sources = []
    warnings = []
    for source in config.sources:
        known = record.read(config.state, source.name)
        state = known.state
        if state == "running" and not (holder and holder["command"].startswith("sync")):
            state = "interrupted"
        warnings += [f"source {source.name}: {text}" for text in gpg.warnings(source.keyring)]
        sources.append({
            "name": source.name, "url": source.address, "distribution": source.distribution,
            "state": state, "attempt": known.attempt, "error": known.error,
            "complete": known.complete.time if known.complete else None,
            "release_date": known.complete.date if known.complete else None,
            "snapshots": dict(known.complete.snapshots) if known.complete else {},
        })  # fmt: skip
    store = gpg.KeyStore(config.gnupg)
    warnings += [f"signing: {key.warning}" for key in store.secret_keys() if key.warning]
    wrong = [f"source {item['name']} {_said(str(item['state']))}"
             for item in sources if item["state"] not in ("complete", "running")]  # fmt: skip
    wrong += problems(config, tree)
    return {
        "root": str(config.root),
        "mirror": identity.read(config),
        "signing_keys": store.fingerprints(),
        "healthy": not wrong,
        "problems": wrong,
        "warnings": warnings,
        "busy": holder,
        "held": publication.held(config),
        "free_bytes": shutil.disk_usage(config.root).free,
        "sources": sources,
        "publication": listing and {
            "sequence": listing.sequence, "created": listing.created,
            "files": len(listing.files), "bytes": sum(entry.size for entry in listing.files),
            "snapshots": listing.snapshots,
        },
        "publications": tree.sequences(),
    }  # fmt: skip


def unreadable(config: Config) -> list[Path]:
    """Files and folders of the tree, and the one that it is in, that a web server cannot read."""
    found = Tree(config.public).shut()
    return found + ([config.root] if config.root.stat().st_mode & 0o5 != 0o5 else [])


def problems(config: Config, tree: Tree) -> list[str]:
    """What is wrong with what is served, and with what the next publication takes."""
    found = []
    current = tree.current()
    if current is None:
        found.append("nothing is published")
    elif tree.readable(current) is None:
        found.append(f"publication {current} has no list that can be read: run `doctor`")
    elif bad := [*(entry.path for entry in tree.damaged(current)), *tree.astray(current)]:
        found.append(f"{len(bad)} served files are damaged, such as {bad[0]}: "
                     "run `verify --repair`")  # fmt: skip
    if tree.root.is_dir() and (shut := unreadable(config)):
        found.append(f"{len(shut)} files and folders cannot be read by a web server, such as "
                     f"{shut[0]}: run `doctor`")  # fmt: skip
    if why := publication.failure(config):
        found.append(f"the last publication failed: {why}")
    for source in config.sources:
        known = record.read(config.state, source.name).complete
        found += [
            f"the snapshot {name} is missing: `sync {source.name}` makes it again"
            for name in (known.snapshots.values() if known else ())
            if not (config.snapshots / name / "snapshot.json").exists()
        ]
    try:
        gpg.KeyStore(config.gnupg).chosen(config.signing_key)
    except NotReady as error:
        found.append(str(error))
    else:
        signed = publication.wrongly_signed(config, tree)
        found += (f"{path} {OTHER_KEY}: {SIGN_ANEW}" for path in signed)
    usage = shutil.disk_usage(config.root)
    if usage.free < config.reserve or usage.free * 100 < usage.total:
        found.append(f"the disk of {config.root} is nearly full: {size(usage.free)} are free")
    return found


def text(found: dict[str, Any]) -> str:
    """The state as lines for people."""
    lines = [f"mirror {found['mirror']} in {found['root']}, {size(found['free_bytes'])} free"]
    lines += [f"signed by {key}" for key in found["signing_keys"]]
    for item in found["sources"]:
        when = item["complete"] or "never"
        lines.append(f"source {item['name']:<18} {item['state']:<12} complete: {when}")
        if item["error"]:
            lines.append(f"  {item['error']}")
    served = found["publication"]
    if served:
        lines.append(
            f"publication {served['sequence']} is served: {served['files']} files, "
            f"{size(served['bytes'])}; kept are {', '.join(map(str, found['publications']))}"
        )
    else:
        lines.append("nothing is published")
    lines += [f"wrong: {item}" for item in found["problems"]]
    lines += [f"warning: {item}" for item in found["warnings"]]
    if found["held"]:
        lines.append(f"held: {found['held']}; `pextra-mirror publish` goes on")
    if found["busy"]:
        lines.append(f"`{found['busy']['command']}` runs (process {found['busy']['pid']})")
    return "\n".join(lines)


def write_metrics(config: Config) -> None:
    """Write the metrics file, for the textfile collector of Prometheus' node exporter.

    What was done is done, and what failed is told, also where that cannot be written.
    """
    try:
        if config.metrics_file is not None:
            _write_metrics(config, config.metrics_file)
    except (MirrorError, OSError) as error:
        console.tell(plain(f"pextra-mirror: {config.metrics_file} cannot be written: {error}"))


def _write_metrics(config: Config, path: Path) -> None:
    tree, lines = Tree(config.public), []
    for source in config.sources:
        known = record.read(config.state, source.name)
        done = known.complete.time if known.complete else ""
        moment = datetime.fromisoformat(done).timestamp() if done else 0
        label = f'{{source="{source.name}"}}'
        lines.append(f"pextra_mirror_sync_ok{label} {int(known.state == 'complete')}")
        lines.append(f"pextra_mirror_last_complete_seconds{label} {moment:.0f}")
    current = tree.current()
    listing = tree.readable(current) if current else None
    created = listing.created if listing else 0
    lines.append(f"pextra_mirror_problems {len(problems(config, tree))}")
    lines.append(f"pextra_mirror_publication {current or 0}")
    lines.append(f"pextra_mirror_published_seconds {created}")
    lines.append(f"pextra_mirror_free_bytes {shutil.disk_usage(config.root).free}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, "".join(f"{line}\n" for line in lines).encode())


def as_json(value: Any) -> Any:
    """A value of this package as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value
