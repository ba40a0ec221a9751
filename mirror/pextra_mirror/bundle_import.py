"""Take a signed bundle into the repository of a site without internet.

Needs Python 3.9 or newer and gpgv, nothing else. `pextra-mirror export` puts it beside each
bundle as one file, import-bundle.pyz, that is run with `python3 import-bundle.pyz --help`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

if __package__:
    from pextra_mirror.tree import CHUNK, KEEP, Entry, Listing, Refused, Tree, sha256_of, write
else:  # in import-bundle.pyz
    from tree import (  # type: ignore[import-not-found,no-redef]
        CHUNK,
        KEEP,
        Entry,
        Listing,
        Refused,
        Tree,
        sha256_of,
        write,
    )

MANIFEST_LIMIT = 512 * 2**20
EXIT_REFUSED = 7


def binary_key(data: bytes) -> bytes:
    """A keyring as gpgv reads it, also where it is armoured."""
    if b"-----BEGIN PGP" not in data:
        return data
    found, body = b"", None
    for line in data.decode("ascii", "replace").splitlines():
        if line.startswith("-----BEGIN PGP PUBLIC KEY BLOCK"):
            body, in_body = "", False
        elif line.startswith("-----END") and body is not None:
            found, body = found + base64.b64decode(body), None
        elif body is not None:
            in_body = in_body or not line.strip()
            # The line that begins with = is a checksum.
            body += line.strip() if in_body and not line.startswith("=") else ""
    return found


def check_signature(data: bytes | None, signature: bytes, keyring: bytes) -> str:
    """The fingerprint of the key of the keyring that signed the data.

    Without data, the signature is a clear-signed message that has it.

    Raises:
        Refused: None did, or it has expired or was revoked.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [binary_key(keyring), signature, *([data] if data is not None else [])]
        argv = ["gpgv", "--status-fd", "1", "--keyring"]
        for number, content in enumerate(files):
            Path(folder, str(number)).write_bytes(content)
            argv.append(f"{folder}/{number}")
        done = subprocess.run(argv, capture_output=True, check=False)
    status = [line.split()[1:] for line in done.stdout.decode(errors="replace").splitlines()]
    words = {line[0]: line[1:] for line in status if line}
    if done.returncode == 0 and "GOODSIG" in words and "VALIDSIG" in words:
        return words["VALIDSIG"][-1]
    why = next((name for name in ("BADSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG", "NO_PUBKEY")
                if name in words), "no valid signature")  # fmt: skip
    about = " ".join(words.get(why, []))
    raise Refused(f"the signature is not good ({why} {about}); the keyring has no valid key for it")


class Parts:
    """A bundle as one stream: a file, or all parts of one that was split."""

    def __init__(self, first: Path) -> None:
        self.paths = [first]
        if re.fullmatch(r".*\.[0-9]{3}", first.name):
            stem = str(first)[:-3]
            self.paths = sorted(first.parent.glob(f"{Path(stem).name}[0-9][0-9][0-9]"))
            for number, path in enumerate(self.paths, 1):
                if path.name[-3:] != f"{number:03}":
                    raise Refused(f"part {stem}{number:03} is missing")
        self._left = list(self.paths)
        self._file: IO[bytes] | None = None

    def read(self, size: int) -> bytes:
        """Some of the next bytes; none only at the end."""
        while self._file or self._left:
            if self._file is None:
                self._file = self._left.pop(0).open("rb", buffering=0)
            if chunk := self._file.read(size):
                return chunk
            self._file.close()
            self._file = None
        return b""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The head of a bundle: what it leads to, from where, and which files it brings."""

    target: Listing
    base: tuple[int, str] | None
    members: tuple[Entry, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Read a manifest whose signature is good."""
        try:
            fields = json.loads(data)
            base = fields["base"] and (int(fields["base"]["sequence"]), fields["base"]["digest"])
            paths = [str(path) for path in fields["members"]]
            target = Listing.from_json(fields["target"])
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"the manifest is malformed: {error!r}") from error
        entries = {entry.path: entry for entry in target.files}
        if paths != sorted(set(paths)) or not set(paths) <= set(entries):
            raise Refused("the manifest's members are not files of its target, in order")
        return cls(target, base, tuple(entries[path] for path in paths))


class Bundle:
    """A bundle that is read from its beginning to its end, once."""

    def __init__(self, first: Path, keyring: bytes) -> None:
        self.parts = Parts(first)
        with self._reading():
            self._tar = tarfile.open(fileobj=self.parts, mode="r|", bufsize=CHUNK)  # type: ignore[call-overload]  # noqa: SIM115
        data = self._next("manifest.json").read()
        self.signer = check_signature(data, self._next("manifest.json.sig").read(), keyring)
        self.data = data
        self.manifest = Manifest.from_bytes(data)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, EOFError, ValueError) as error:
            count = len(self.parts.paths)
            raise Refused(
                f"the bundle is truncated or damaged ({error}); {count} file(s) were read"
            ) from error

    def _next(self, name: str, size: int | None = None) -> IO[bytes]:
        with self._reading():
            member = self._tar.next()
            if member is None:
                raise Refused(f"the bundle is truncated: it ends before {name}")
            if member.name != name or not member.isreg():
                raise Refused(f"the bundle has {member.name!r} where {name} belongs")
            if member.size > MANIFEST_LIMIT if size is None else member.size != size:
                raise Refused(f"{name} has {member.size} bytes, which is not what is announced")
            file: IO[bytes] | None = self._tar.extractfile(member)
        if file is None:
            raise Refused(f"{name} is no file")
        return file

    def unpack(self, folder: Path, on_bytes: Callable[[int], None]) -> None:
        """Write each member to the folder under its hash, where it is not there yet.

        Raises:
            Refused: A member is not what the signed manifest says.
        """
        for entry in self.manifest.members:
            file, path = self._next(entry.path, entry.size), folder / entry.sha256
            if path.exists() and sha256_of(path) == entry.sha256:
                on_bytes(entry.size)
                continue
            digest, temporary = hashlib.sha256(), folder / f"{entry.sha256}.part"
            with temporary.open("wb") as out:
                while chunk := self._read(file):
                    digest.update(chunk)
                    out.write(chunk)
                    on_bytes(len(chunk))
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != entry.sha256 or temporary.stat().st_size != entry.size:
                raise Refused(f"{entry.path} is not what the signed manifest says")
            os.replace(temporary, path)
        with self._reading():
            if self._tar.next() is not None:
                raise Refused("the bundle has more in it than its manifest names")

    def _read(self, file: IO[bytes]) -> bytes:
        with self._reading():
            return file.read(CHUNK)


def accept(tree: Tree, manifest: Manifest, *, signer: str) -> None:
    """Refuse a bundle that does not follow what is there.

    Raises:
        Refused: It is another mirror's, a replay, a downgrade, or its base is missing.
    """
    target, kept = manifest.target, tree.sequences()
    if kept:
        last = tree.listing(kept[-1])
        if target.mirror != last.mirror:
            raise Refused(f"this is a bundle of mirror {target.mirror}, here is {last.mirror}")
        if target.sequence == last.sequence and target.digest == last.digest:
            raise Refused(f"publication {target.sequence} was imported already")
        if target.sequence <= last.sequence:
            raise Refused(
                f"the bundle leads to publication {target.sequence}, here is {last.sequence} "
                f"already (signed by {signer}): going back is `rollback`"
            )
    if manifest.base is None:
        if len(manifest.members) != len(target.files):
            raise Refused("the bundle has no base, and lacks files of its target")
        return
    sequence, digest = manifest.base
    if sequence not in kept or tree.listing(sequence).digest != digest:
        there = f"here are {', '.join(map(str, kept))}" if kept else "here is nothing yet"
        raise Refused(
            f"the bundle builds on publication {sequence}, which is missing ({there}). "
            "Import the bundles in between first, or export again with --since what is here"
        )
    base = {entry.path: entry for entry in tree.listing(sequence).files}
    brought = {entry.path for entry in manifest.members}
    for entry in target.files:
        if entry.path in brought:
            continue
        if base.get(entry.path) != entry:
            raise Refused(f"{entry.path} is neither in the bundle nor in its base")
        path = tree.file(sequence, entry)
        if not path.is_file() or sha256_of(path) != entry.sha256:
            raise Refused(f"{entry.path} of the base is damaged; import a bundle without base")


@contextlib.contextmanager
def locked(tree: Tree) -> Iterator[None]:
    """Have the tree to oneself."""
    tree.generations.mkdir(parents=True, exist_ok=True)
    with (tree.generations / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Refused(f"another import works on this tree: process {file.read()}") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def import_bundle(
    tree: Tree, first: Path, *, keyring: Path | None = None, keep: int = KEEP,
    on_bytes: Callable[[int, int], None] = lambda _done, _total: None,
) -> Listing:  # fmt: skip
    """Take in a bundle; the publication that is served then.

    Args:
        tree: Where to.
        first: The bundle, or its first part.
        keyring: The keys to trust from now on; left out, those of the import before.
        keep: How many publications stay for `rollback`.
        on_bytes: Told how many bytes of how many are read.

    Raises:
        Refused: Anything at all is wrong; what is served has not changed.
    """
    with locked(tree):
        trusted = tree.generations / "trusted.gpg"
        if keyring is None and not trusted.exists():
            raise Refused("this is the first import here: give the mirror's key with --keyring")
        keys = (keyring or trusted).read_bytes()
        bundle = Bundle(first, keys)
        manifest = bundle.manifest
        accept(tree, manifest, signer=bundle.signer)
        incoming = tree.generations / f"incoming-{hashlib.sha256(bundle.data).hexdigest()[:16]}"
        for other in tree.generations.glob("incoming-*"):
            if other != incoming:
                shutil.rmtree(other)
        incoming.mkdir(exist_ok=True)
        total = sum(entry.size for entry in manifest.members)
        needed = sum(e.size for e in manifest.members if not (incoming / e.sha256).exists())
        if shutil.disk_usage(tree.root).free < needed + 2**24:
            raise Refused(f"{needed} bytes are needed in {tree.root}, which has not as much room")
        done = 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            on_bytes(done, total)

        try:
            bundle.unpack(incoming, count)
        except Refused:
            shutil.rmtree(incoming)
            raise
        base, brought = manifest.base, {entry.path for entry in manifest.members}

        def source(entry: Entry) -> Path:
            if entry.path in brought:
                return incoming / entry.sha256
            return tree.file(base[0] if base else 0, entry)

        tree.place(manifest.target, source)
        write(trusted, keys)
        tree.switch(manifest.target.sequence)
        tree.prune(keep)
        shutil.rmtree(incoming)
        return manifest.target


def rollback(tree: Tree, sequence: int | None = None) -> Listing:
    """Serve an earlier publication that is kept; left out, the one before.

    Raises:
        Refused: It is not kept.
    """
    with locked(tree):
        kept, current = tree.sequences(), tree.current()
        earlier = [item for item in kept if current is not None and item < current]
        wanted = sequence or (earlier[-1] if earlier else None)
        if wanted not in kept:
            there = ", ".join(map(str, kept)) or "nothing"
            raise Refused(f"publication {wanted or 'before this one'} is not kept; kept: {there}")
        tree.switch(wanted)
        return tree.listing(wanted)


def show(done: int, total: int) -> None:
    """Tell on a terminal how far it is."""
    if sys.stderr.isatty() and total:
        end = "\n" if done == total else ""
        print(f"\r{done * 100 // total:3} % of {total / 1e6:.1f} MB", end=end, file=sys.stderr)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Take a signed bundle into a repository tree, or go back to an earlier one.",
        epilog="Exit codes: 0 done, 2 wrong command line, 7 refused; what is served then is what "
        "was served before. An import that was interrupted is simply run again.",
    )
    parser.add_argument("--tree", type=Path, required=True, help="folder of the repository")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", required=True)
    take = commands.add_parser("import", help="verify a bundle and serve it")
    take.add_argument("bundle", type=Path, help="the bundle, or its first part (.001)")
    take.add_argument("--keyring", type=Path, help="the mirror's public key; needed once")
    take.add_argument("--keep", type=int, default=KEEP, help="publications to keep (%(default)s)")
    back = commands.add_parser("rollback", help="serve an earlier publication that is kept")
    back.add_argument("--to", type=int, help="its number; left out, the one before")
    commands.add_parser("status", help="which publications are there")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    wanted = arguments(argv)
    tree = Tree(wanted.tree)
    try:
        if wanted.command == "import":
            import_bundle(
                tree, wanted.bundle, keyring=wanted.keyring, keep=max(1, wanted.keep), on_bytes=show
            )
        elif wanted.command == "rollback":
            rollback(tree, wanted.to)
            print(
                "apt keeps to a newer index that it has seen: on nodes that were updated "
                "since, remove /var/lib/apt/lists/* and run apt-get update",
                file=sys.stderr,
            )
    except (Refused, OSError) as error:
        print(f"import-bundle: {error}", file=sys.stderr)
        return EXIT_REFUSED
    found = {"current": tree.current(), "kept": tree.sequences(), "tree": str(tree.root)}
    if wanted.json:
        print(json.dumps(found))
    else:
        print(f"{tree.root}: publication {found['current']} is served, kept are {found['kept']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
