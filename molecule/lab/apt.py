"""The machine's own apt configuration: what it reaches, the lab's packages come from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab.errors import LabError
from lab.programs import run

SUITE = "bookworm"
"""The release of Debian that nodes are."""
_OPTIONS = re.compile(r"Acquire::(http|https|ftp|Check-|Retries|Max-)")


def ours(text: str, deb822: bool) -> str:
    """Those of apt's sources that are of the nodes' release of Debian."""
    suite = re.compile(rf"{SUITE}(-updates|-security)?/?")
    kept = []
    if not deb822:
        for line in text.splitlines():
            found = re.fullmatch(r"deb\s+(\[[^]]*\]\s+)?\S+\s+(\S+)\s.*", line.strip())
            if found and suite.fullmatch(found[2]):
                kept.append(line.strip())
        return "".join(f"{line}\n" for line in kept)
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"(?m)^(\S+):[ \t]*(.*)$", "\n".join(lines)))
        suites = fields.get("Suites", "").split()
        if (
            fields.get("Enabled", "yes").lower() in {"no", "false"}
            or "deb" not in fields.get("Types", "").split()
        ):
            continue
        if suites and all(suite.fullmatch(each) for each in suites):
            kept.append("\n".join(lines) + "\n")
    return "\n".join(kept)


def of_release(text: str, deb822: bool, release: str) -> str:
    """The same sources for another release, whose updates are in the release itself."""
    if not deb822:
        lines = re.findall(rf"(?m)^(deb\s+(?:\[[^]]*\]\s+)?\S+)\s+{SUITE}/?\s", text)
        return "".join(f"{source} {release} main\n" for source in lines)
    kept = []
    for stanza in re.split(r"\n\s*\n", text):
        found = re.search(r"(?m)^Suites:(.*)$", stanza)
        if found and {SUITE, f"{SUITE}/"} & set(found[1].split()):
            stanza = re.sub(r"(?m)^Suites:.*$", f"Suites: {release}", stanza)
            kept.append(re.sub(r"(?m)^Components:.*$", "Components: main", stanza))
    return "\n\n".join(kept)


def sources(folder: Path, release: str = SUITE) -> list[Path]:
    """Files with the machine's own sources of Debian: what it reaches, its nodes' base comes from.

    Args:
        release: That they name, in place of the nodes'.

    Raises:
        LabError: It has none.
    """
    lists = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    texts = {"list": "", "sources": ""}
    for path in lists:
        suffix = path.suffix.removeprefix(".")
        if suffix in texts and path.is_file():
            texts[suffix] += ours(path.read_text(), suffix == "sources") + "\n"
    written = []
    for suffix, text in texts.items():
        if release != SUITE:
            text = of_release(text, suffix == "sources", release)
        if text.strip():
            written.append(folder / f"lab.{suffix}")
            written[-1].write_text(text)
    if not written:
        raise LabError(
            f"apt's sources of this machine name no {SUITE}",
            "Nodes are Debian 12: add its mirror to /etc/apt/sources.list.d.",
        )
    return written


def options(folder: Path) -> Path:
    """A file with the machine's own options of apt that say how to reach a mirror."""
    lines = run("apt-config", "dump").splitlines()
    kept = [line for line in lines if _OPTIONS.match(line)]
    path = folder / "apt.conf"
    path.write_text("\n".join([*kept, 'APT::Install-Recommends "false";', ""]))
    return path


def download(folder: Path, release: str, *names: str) -> list[Path]:
    """Packages of a release that is not this machine's, which keeps its own lists and packages.

    Returns:
        The packages' files, in the order of their names here; apt verified them.

    Raises:
        LabError: A mirror does not have them, or is not reached.
    """
    parts = folder / "parts"
    for place in (parts, folder / "lists/partial", folder / "cache/archives/partial"):
        place.mkdir(parents=True, exist_ok=True)
    for path in sources(folder, release):
        path.rename(parts / path.name)
    (folder / "status").touch()
    settings = {
        "Acquire::Languages": "none", "APT::Sandbox::User": "root", "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": folder / "lists", "Dir::State::status": folder / "status",
    }  # fmt: skip
    given = [f"--option={name}={value}" for name, value in settings.items()]
    run("apt-get", *given, "--quiet", "update")
    run("apt-get", *given, "--quiet", "--download-only", "--yes", "install",
        "--no-install-recommends", *names)  # fmt: skip
    archives = folder / "cache/archives"
    return [next(archives.glob(f"{name}_*.deb")) for name in names]


def lacking(status: Path, folder: Path, *names: str) -> list[Path]:
    """Packages, and what they need, that a node does not have; of the node's own release.

    Args:
        status: The node's own ``/var/lib/dpkg/status``.
        folder: Where they are put; made anew.
    """
    plan = run(
        "apt-get", f"--option=Dir::State::status={status}", "--simulate",
        "--no-install-recommends", "install", *names,
    )  # fmt: skip
    found = re.findall(r"(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) ", plan)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(
        "env", "--chdir", str(folder), "apt-get", "--quiet", "--option=APT::Sandbox::User=root",
        "download", *(f"{name}={version}" for name, version in found),
    )  # fmt: skip
    return sorted(folder.glob("*.deb"))
