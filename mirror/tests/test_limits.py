"""What nobody vouches for costs little, and every error is told: no tracebacks, codes, JSON."""

from __future__ import annotations

import ast
import fcntl
import json
import resource
import shutil
import subprocess
import tarfile
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirror_bed import PYTHON, Builder, Done, Key, Mirror, SourceRepository, platform, run
from pextra_mirror.bundle_read import Parts
from pextra_mirror.serve import server

MEMORY = 400 * 2**20
"""Bytes of address space of an import that is handed something of anybody's."""


@pytest.fixture(scope="module")
def exported(bed: Path, vendor: Key, builder: Builder) -> Iterator[tuple[Path, Path, Mirror]]:
    """A bundle, the mirror's key, and the mirror."""
    folder = bed / "limits"
    upstream = SourceRepository(folder / "source", vendor)
    upstream.release(builder.platform("1.0"))
    mirror = Mirror(folder / "mirror", platform(upstream))
    mirror.run("init")
    mirror.run("sync", "--publish")
    (bundle,) = mirror.run("export", "--output", folder / "out")["parts"]
    yield Path(bundle), mirror.key(), mirror
    upstream.stop()
    mirror.stop()
    shutil.rmtree(folder)


def limit() -> None:
    """Have a process use little memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def importer(exported: tuple[Path, Path, Mirror], *words: str | Path) -> Done:
    """Run the importer with little memory; it says what is wrong in text and JSON, and no more."""
    bundle, _key, _mirror = exported
    argv = [PYTHON, "-I", bundle.parent / "import-bundle.pyz", "--json", *words]
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, check=False,
        preexec_fn=limit, env={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    if done.returncode:
        found = json.loads(done.stdout)
        assert found.get("message", "") in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def head(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """The head of a file in a tar archive."""
    item = tarfile.TarInfo(name)
    item.size, item.type = size, kind
    return item.tobuf(tarfile.GNU_FORMAT)


def manifest(text: bytes) -> bytes:
    """A bundle that begins with a manifest."""
    padding = b"\0" * (-len(text) % 512)
    return head("manifest.json", len(text)) + text + padding


EVIL = {
    "a head of 1 GiB": head("x", 2**30, tarfile.XHDTYPE) + b"x" * 3000,
    "a global head": head("x", 2**30, tarfile.XGLTYPE) + b"x" * 3000,
    "a name of 1 GiB": head("x", 2**30, tarfile.GNUTYPE_LONGNAME) + b"x" * 3000,
    "a sparse file": head("manifest.json", 2**40, tarfile.GNUTYPE_SPARSE) + b"x" * 3000,
    "a manifest of 1 GiB": head("manifest.json", 2**30) + b"x" * 3000,
    "a cut manifest": head("manifest.json", 5000) + b'{"base": ',
    "a cut padding": head("manifest.json", 5) + b"12345",
    "no tar": b"x" * 3000,
    "nothing": b"",
    "no signature": manifest(b"{}"),
    "a signature of 1 GiB": manifest(b"{}") + head("manifest.json.sig", 2**30) + b"x",
}


@pytest.mark.parametrize("name", EVIL)
def test_a_bundle_of_anybodys_costs_no_memory_and_is_refused(
    exported: tuple[Path, Path, Mirror], folder: Path, name: str
) -> None:
    evil = folder / "evil.tar"
    evil.write_bytes(EVIL[name])
    done = importer(exported, "--tree", folder / "site", "import", evil, "--keyring", exported[1])
    assert done.code == 7, done.err
    assert json.loads(done.out)["error"] == "bundle_refused"
    since = exported[2].call("export", "--output", folder / "o", "--since", evil)
    assert since.code == 2
    assert "Traceback" not in since.err


@pytest.mark.parametrize("text", [
    '{"base": null, "members": [], "target": {"format": 1, "mirror": "m", "sequence": Infinity}}',
    '{"base": {"sequence": NaN, "digest": ""}, "members": [], "target": {}}',
    "[" * 200_000, '{"base": ' * 50_000, "7", "null", '{"base": null, "members": 7}', "\xff",
    '{"base": null, "members": [], "target": {"format": 1, "mirror": "m", "sequence": 1, '
    '"created": 1, "snapshots": {"a": 7}, "files": [["x"]]}}',
])  # fmt: skip
def test_a_signed_manifest_of_any_contents_is_refused_in_a_sentence(
    exported: tuple[Path, Path, Mirror], folder: Path, text: str
) -> None:
    _bundle, key, mirror = exported
    data = text.encode("latin-1")
    env = {"GNUPGHOME": str(mirror.root / "gnupg")}
    signature = run("gpg", "--batch", "--detach-sign", env=env, stdin=data)
    evil = folder / "evil.tar"
    padding = b"\0" * (-len(signature) % 512)
    evil.write_bytes(
        manifest(data) + head("manifest.json.sig", len(signature)) + signature + padding
    )
    done = importer(exported, "--tree", folder / "site", "import", evil, "--keyring", key)
    assert done.code == 7, done.err
    assert len(done.err) < 1000


def test_each_error_of_the_import_has_its_code(
    exported: tuple[Path, Path, Mirror], folder: Path
) -> None:
    bundle, key, mirror = exported
    site = ("--tree", folder / "site")
    for command in ("verify", "repair", "status"):
        assert importer(exported, *site, command).code == 10
    assert importer(exported, *site, "import", folder / "none.tar", "--keyring", key).code == 2
    assert importer(exported, *site, "import", bundle, "--keyring", folder / "none").code == 2
    done = importer(exported, *site, "import", bundle, "--keyring", key)
    assert done.json["signed_by"] == mirror.run("key")["fingerprint"]
    assert importer(exported, *site, "rollback", "--to", "0").code == 7
    assert mirror.call("rollback", "--to", "0").code == 2
    with (folder / "site/.generations/lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert importer(exported, *site, "import", bundle).code == 6
    assert importer(exported, *site, "status").code == 0
    (folder / "site/.generations/1/listing.json").write_text("{")
    assert importer(exported, *site, "verify").code == 8
    asked = importer(exported, *site, "repair", "--request", folder / "request.json")
    assert asked.code == 8
    answer = mirror.run("export", "--output", folder / "answer", "--for", folder / "request.json")
    assert importer(exported, *site, "import", answer["parts"][0]).code == 0
    assert importer(exported, *site, "verify").code == 0


def test_a_bundle_may_have_more_than_999_parts_and_any_name(tmp_path: Path) -> None:
    for name in ("plain", "b[1]", "a*b", "new\nline"):
        folder = tmp_path / str(len(name))
        folder.mkdir()
        for number in range(1, 1102):
            (folder / f"{name}.tar.{number:03}").write_bytes(f"{number} ".encode())
        (folder / f"other-{name}.tar.001").write_bytes(b"other")
        read, parts = b"", Parts(folder / f"{name}.tar.001")
        while chunk := parts.read(100):
            read += chunk
        assert read.split() == [str(number).encode() for number in range(1, 1102)]


def test_a_bundle_with_brackets_in_its_name_is_imported(
    exported: tuple[Path, Path, Mirror], folder: Path
) -> None:
    _bundle, key, mirror = exported
    parts = mirror.run("export", "--output", folder / "out", "--split", "64KiB")["parts"]
    for part in map(Path, parts):
        part.rename(folder / f"b[1].tar{part.suffix}")
    first = folder / "b[1].tar.001"
    done = importer(exported, "--tree", folder / "site", "import", first, "--keyring", key)
    assert done.code == 0, done.err


@pytest.mark.parametrize("path", [
    "/.generations/1/listing.json", "/%2egenerations/1/listing.json", "/", "/pextra/",
    "/pextra/%2e%2e/%2egenerations/current/listing.json", "/pextra/../.generations/lock",
    "//.generations/1/listing.json", "/%2Egenerations/", "/pextra/pool/",
])  # fmt: skip
def test_nothing_but_files_of_the_repository_is_served(
    exported: tuple[Path, Path, Mirror], path: str
) -> None:
    mirror = exported[2]
    with server(mirror.public, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{running.server_address[1]}"
        with urllib.request.urlopen(f"{url}/pextra/dists/bookworm/InRelease") as answer:  # noqa: S310
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}{path}")  # noqa: S310
        running.shutdown()


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none_is_a_wrong_command_line(
    exported: tuple[Path, Path, Mirror], port: str
) -> None:
    done = exported[2].call("serve", "--port", port)
    assert done.code == 2
    assert "--port: invalid port value" in done.err


def test_the_import_runs_without_anything_else(
    exported: tuple[Path, Path, Mirror], folder: Path
) -> None:
    """Its modules import nothing of this package that it does not carry."""
    bundle, _key, _mirror = exported
    done = subprocess.run(
        [PYTHON, "-I", "-S", str(bundle.parent / "import-bundle.pyz"), "--help"],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "exit codes" in done.stdout


@pytest.mark.parametrize("this", [True, False], ids=["this-python", "another"])
def test_the_import_is_compiled_for_this_python_and_another_takes_its_source(
    exported: tuple[Path, Path, Mirror], folder: Path, this: bool
) -> None:
    changed = folder / "changed.pyz"
    with zipfile.ZipFile(exported[0].parent / "import-bundle.pyz") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    compiled = [name for name in contents if name.endswith(".pyc")]
    assert len(compiled) > 5
    for name in compiled:
        if this:
            contents[name[:-1]] = b"1 / 0"
        else:
            contents[name] = b"\0\0\r\n" + contents[name][4:]
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    done = subprocess.run(
        [PYTHON, "-I", str(changed), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "exit codes" in done.stdout


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 8, 18)])
def test_an_older_python_is_told_which_one_the_import_needs(
    exported: tuple[Path, Path, Mirror], folder: Path, version: tuple[int, int, int]
) -> None:
    pretend = f"import runpy, sys; sys.version_info = {version}; runpy.run_path(sys.argv[1])"
    done = subprocess.run(
        [PYTHON, "-I", "-c", pretend, str(exported[0].parent / "import-bundle.pyz")],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert f"Python 3.9 or newer is needed, this is {version[0]}.{version[1]}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_import_is_in_the_words_of_the_oldest_python_that_it_names(
    exported: tuple[Path, Path, Mirror],
) -> None:
    with zipfile.ZipFile(exported[0].parent / "import-bundle.pyz") as archive:
        names = [name for name in archive.namelist() if name.endswith(".py")]
        assert len(names) > 5
        for name in names:
            ast.parse(archive.read(name), name, feature_version=(3, 9))
