"""Sources of unusual kinds: each file as it is given, signed by whomever."""

from __future__ import annotations

import email.utils
import hashlib
import shutil
import time
from collections.abc import Callable, Mapping

from mirror_bed import ARCHITECTURES, Deb, Key, SourceRepository, run, write

Sign = Callable[[str], bytes]
"""Makes a clear-signed message of a text."""


def stanza(deb: Deb, *, digest: str = "sha256", path: str = "") -> str:
    """What an index says of a package."""
    name = "SHA256" if digest == "sha256" else "SHA512"
    found = hashlib.new(digest, deb.data).hexdigest()
    return (f"{deb.control}Filename: {path or deb.path}\nSize: {len(deb.data)}\n"
            f"{name}: {found}\n")  # fmt: skip


def indexes(debs: list[Deb], **how: str) -> dict[str, bytes]:
    """The indexes of a source with the component common, not packed."""
    found = {}
    for architecture in ARCHITECTURES:
        chosen = [deb for deb in debs if deb.architecture in (architecture, "all")]
        text = "\n".join(stanza(deb, **how) for deb in chosen)
        found[f"common/binary-{architecture}/Packages"] = text.encode()
    return found


def put(
    upstream: SourceRepository, files: Mapping[str, bytes], debs: list[Deb], *, sign: Sign | None =
    None, names: str = "Suite: stable\nCodename: bookworm\n", lists: str = "SHA256",
    fields: str = "", moment: float | None = None, detached: Sign | None = None,
) -> None:  # fmt: skip
    """Have a source with one component consist of these files."""
    folder = upstream.root / "dists/bookworm"
    shutil.rmtree(folder)
    for deb in debs:
        write(upstream.root / deb.path, deb.data)
    for name, data in files.items():
        write(folder / name, data)
    lines = [f" {hashlib.new(lists.lower(), data).hexdigest()} {len(data)} {name}\n"
             for name, data in files.items()]  # fmt: skip
    date = email.utils.formatdate(time.time() - 60 if moment is None else moment, usegmt=True)
    text = (f"{names}Date: {date}\nArchitectures: {' '.join(ARCHITECTURES)} all\n"
            f"Components: common\n{fields}{lists}:\n{''.join(lines)}")  # fmt: skip
    write(folder / "InRelease", (sign or upstream.key.clearsign)(text))
    if detached:
        write(folder / "Release", text.encode())
        write(folder / "Release.gpg", detached(text))


def two_keys(first: Key, second: Key, how: str = "--clearsign") -> Sign:
    """Signatures of two keys in one message, or of one in another."""

    def sign(text: str) -> bytes:
        home = first.home.parent / "both"
        if not home.exists():
            home.mkdir(mode=0o700)
            for key in (first, second):
                secret = run("gpg", "--batch", "--export-secret-keys", env=key.env)
                run("gpg", "--batch", "--import", env={"GNUPGHOME": str(home)}, stdin=secret)
        users = [word for key in (first, second) for word in ("--local-user", key.fingerprint)]
        env = {"GNUPGHOME": str(home)}
        signed = run("gpg", "--batch", *users, "--armor", how, env=env, stdin=text.encode())
        run("gpgconf", "--kill", "all", env=env)
        return signed

    return sign
