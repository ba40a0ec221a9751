"""What state the mirror is in, for people, for scripts and for monitoring."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from pextra_mirror import lock, publication, record
from pextra_mirror.config import Config
from pextra_mirror.gpg import KeyStore
from pextra_mirror.progress import size
from pextra_mirror.tree import Tree, write


def status(config: Config) -> dict[str, Any]:
    """Everything that is to be known, as JSON has it."""
    tree = Tree(config.public)
    current, holder = tree.current(), lock.holder(config.root)
    listing = tree.listing(current) if current else None
    sources = []
    for source in config.sources:
        known = record.read(config.state, source.name)
        state = known.state
        if state == "running" and not (holder and holder["command"].startswith("sync")):
            state = "interrupted"
        sources.append({
            "name": source.name, "url": source.url, "distribution": source.distribution,
            "state": state, "attempt": known.attempt, "error": known.error,
            "complete": known.complete.time if known.complete else None,
            "release_date": known.complete.date if known.complete else None,
            "snapshots": dict(known.complete.snapshots) if known.complete else {},
        })  # fmt: skip
    return {
        "root": str(config.root),
        "mirror": publication.identity(config),
        "signing_keys": KeyStore(config.gnupg).fingerprints(),
        "healthy": current is not None and all(item["state"] == "complete" for item in sources),
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
    if found["held"]:
        lines.append(f"held: {found['held']}; `pextra-mirror publish` goes on")
    if found["busy"]:
        lines.append(f"`{found['busy']['command']}` runs (process {found['busy']['pid']})")
    return "\n".join(lines)


def write_metrics(config: Config) -> None:
    """Write the metrics file, for the textfile collector of Prometheus' node exporter."""
    if config.metrics_file is None:
        return
    tree, lines = Tree(config.public), []
    for source in config.sources:
        known = record.read(config.state, source.name)
        done = known.complete.time if known.complete else ""
        moment = datetime.fromisoformat(done).timestamp() if done else 0
        label = f'{{source="{source.name}"}}'
        lines.append(f"pextra_mirror_sync_ok{label} {int(known.state == 'complete')}")
        lines.append(f"pextra_mirror_last_complete_seconds{label} {moment:.0f}")
    current = tree.current()
    created = tree.listing(current).created if current else 0
    lines.append(f"pextra_mirror_publication {current or 0}")
    lines.append(f"pextra_mirror_published_seconds {created}")
    lines.append(f"pextra_mirror_free_bytes {shutil.disk_usage(config.root).free}")
    config.metrics_file.parent.mkdir(parents=True, exist_ok=True)
    write(Path(config.metrics_file), "".join(f"{line}\n" for line in lines).encode())
    config.metrics_file.chmod(0o644)


def as_json(value: Any) -> Any:
    """A value of this package as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return str(value) if isinstance(value, Path) else value
