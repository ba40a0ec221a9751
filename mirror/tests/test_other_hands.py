"""What other programs do to a mirror's folder, and to a command's streams, ends in no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mirror_bed import PYTHON, Builder, Mirror, SourceRepository, platform, run
from pextra_mirror import files
from pextra_mirror.errors import Damaged

Harm = Callable[[Path], object]


def as_folder(path: Path) -> None:
    """Have a folder with something in it where a file was."""
    files.remove(path)
    path.mkdir()
    (path / "x").write_text("x")


def as_file(path: Path) -> None:
    """Have a file where a folder was."""
    files.remove(path)
    path.write_text("x")


def as_loop(path: Path) -> None:
    """Have a link that leads to itself where a file was."""
    files.remove(path)
    path.symlink_to(path.name)


def as_pipe(path: Path) -> None:
    """Have a pipe, which nobody writes to, where a file was."""
    files.remove(path)
    os.mkfifo(path)


def as_nonsense(path: Path) -> None:
    """Have bytes that are no text in a file."""
    path.write_bytes(b"\xff\0\xfe")


GENERATION = "public/.generations/1"
INDEXES = f"{GENERATION}/pextra/dists/bookworm"
HARM: list[tuple[str, Harm]] = [
    (f"{INDEXES}/Release", as_folder), (f"{INDEXES}/Release", as_loop),
    (f"{INDEXES}/InRelease", as_pipe), (f"{INDEXES}/Release", as_pipe),
    (f"{INDEXES}/common/binary-amd64/Packages.gz", as_folder),
    (f"{INDEXES}/common", as_file), (INDEXES, as_file), (f"{GENERATION}/pextra", as_file),
    (GENERATION, as_file), ("public/.generations", as_file),
    ("public/.generations/current", as_folder), ("public/pextra/dists", as_folder),
    ("public/pextra", as_file), ("public/pextra/pool", as_file),
    ("public/pextra/pool/*/*/*_pce-web_1.0_amd64.deb", as_folder),
    ("public/pextra/pool/*/*/*_pce-web_1.0_amd64.deb", as_pipe),
    ("snapshots", as_file), ("snapshots/*/snapshot.json", as_folder),
    ("snapshots/*/binary-amd64/Packages", as_loop),
    ("state/source-pextra.json", as_folder), ("state/source-pextra.json", as_loop),
    ("state/identity", as_folder), ("state/identity", as_nonsense), ("state", files.remove),
]  # fmt: skip


@pytest.mark.parametrize(("where", "harm"), HARM)
def test_what_is_something_else_by_now_is_made_again(
    published: Mirror, where: str, harm: Harm
) -> None:
    known = published.run("status")["mirror"]
    harm(next(published.root.glob(where)))
    for words in (("status",), ("doctor",), ("sync", "--publish")):
        done = subprocess.run(
            published.argv(*words), env=published.env, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
    assert published.run("verify")["files"] > 0
    after = published.run("status")
    assert after["healthy"] is True
    assert after["mirror"] == known


def test_a_publication_has_no_number_twice_though_all_of_them_were_lost(
    published: Mirror, folder: Path
) -> None:
    published.run("publish", "--force")
    key, stick = published.key(), folder / "stick"
    (bundle,) = published.run("export", "--output", stick)["parts"]
    program = str(stick / "import-bundle.pyz")
    importer = [PYTHON, program, "--tree", str(folder / "site"), "import"]
    run(*importer, bundle, "--keyring", key)
    shutil.rmtree(published.public)
    assert published.run("sync", "--publish")["publication"] == 3
    (bundle,) = published.run("export", "--output", stick)["parts"]
    run(*importer, bundle)


def test_a_mirror_whose_records_are_lost_keeps_the_name_that_sites_know(published: Mirror) -> None:
    known = published.run("status")["mirror"]
    shutil.rmtree(published.root / "state")
    refused = published.call("sync")
    assert refused.code == 10
    assert "doctor" in refused.err
    assert published.run("init")["mirror"] == known


@pytest.mark.parametrize(("old", "new"), [
    ('"date": "20', '"date": "2x'), ("+00:00", ""), ('"counts": {', '"counts": {"x": "y", '),
    ('"snapshots": {', '"snapshots": {"x": [], '), ('"fields": {', '"fields": {"Label": 5, '),
    ('"complete": {', '"complete": {"x": 1, '), ('"state": "complete"', '"state": null'),
])  # fmt: skip
def test_a_record_that_was_changed_is_made_again(published: Mirror, old: str, new: str) -> None:
    path = published.root / "state/source-pextra.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    for words in (("status",), ("doctor", "--check"), ("sync", "--publish")):
        done = published.call(*words)
        assert "Traceback" not in done.err, done.err
    assert done.code == 0, done.err
    json.loads(path.read_text())
    assert published.run("status")["healthy"] is True


def test_a_link_to_a_disk_that_is_not_mounted_is_told_and_stays(tmp_path: Path) -> None:
    link = tmp_path / "tree/pool"
    link.parent.mkdir()
    link.symlink_to("/nonexistent/disk")
    with pytest.raises(Damaged, match="/nonexistent/disk, where nothing is"):
        files.folder(link / "common/x", tmp_path / "tree")
    assert link.is_symlink()


def test_an_import_into_a_file_leaves_the_file(published: Mirror, folder: Path) -> None:
    (bundle,) = published.run("export", "--output", folder / "stick")["parts"]
    mine = folder / "mine"
    mine.write_text("mine")
    done = published.call("import", bundle, "--tree", mine, "--keyring", published.key())
    assert done.code == 2
    assert mine.read_text() == "mine"


def test_a_folder_of_others_is_never_taken_for_a_file_of_ours(
    published: Mirror, importing: list[str], folder: Path, upstream: SourceRepository
) -> None:
    mine = folder / "mine"
    mine.mkdir()
    (mine / "x").write_text("mine")
    run(*importing)
    next((folder / "site/pextra/pool").rglob("*.deb")).unlink()
    site = importing[: importing.index("import")]
    done = subprocess.run([*site, "repair", "--request", str(mine)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 2, done.stderr
    published.configure(platform(upstream), metrics_file=str(mine))
    assert "cannot be written" in published.call("sync").err
    assert [path.name for path in folder.rglob("mine*/*")] == ["x"]
    assert not list(folder.glob(".mine*"))


def test_a_cache_on_another_file_system_is_fine(
    mirror: Mirror, folder: Path, upstream: SourceRepository
) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is no other file system")
    elsewhere = shm / f"{folder.parent.name}-{folder.name}"
    elsewhere.mkdir()
    try:
        (mirror.root / "cache").symlink_to(elsewhere)
        mirror.run("sync", "--publish")
        assert mirror.run("verify")["sequence"] == 1
    finally:
        shutil.rmtree(elsewhere)


def test_a_status_while_publications_come_and_go_is_one(
    published: Mirror, upstream: SourceRepository
) -> None:
    published.configure(platform(upstream), keep=2)
    process = subprocess.Popen(
        ["sh", "-c", 'for i in 1 2 3 4 5 6; do "$@"; done', "sh",
         *published.argv("publish", "--force")],
        env=published.env, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while process.poll() is None:
            done = published.call("status")
            assert done.code in (0, 10), done.err
    finally:
        process.wait()


def test_metrics_that_cannot_be_written_hide_no_error(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    mirror.configure(platform(upstream), metrics_file="/proc/none/x.prom")
    done = mirror.call("sync", "--publish")
    assert done.code == 0
    assert "/proc/none/x.prom cannot be written" in done.err
    upstream.release([], fields="Valid-Until: Thu, 01 Jan 2015 00:00:00 GMT\n")
    refused = mirror.call("sync")
    assert refused.code == 3
    assert "expired" in refused.err


@pytest.fixture
def importing(published: Mirror, folder: Path) -> list[str]:
    """The command line of an import."""
    (bundle,) = published.run("export", "--output", folder / "stick")["parts"]
    site = ["--tree", str(folder / "site")]
    key = ["--keyring", str(published.key())]
    return [PYTHON, str(folder / "stick/import-bundle.pyz"), *site, "import", bundle, *key]


STREAMS = [
    ('"$@" >&-', 0), ('"$@" 2>&-', 0), ('"$@" <&- >&- 2>&-', 0), ('"$@" 2>/dev/full', 0),
    ('"$@" >/dev/full', 5), ('"$@" >/dev/full 2>&1', 5), ('{ "$@"; echo $? >&3; } 3>&2 | true', 0),
]  # fmt: skip


@pytest.mark.parametrize(("script", "code"), STREAMS)
def test_a_stream_that_takes_nothing_is_no_traceback(
    published: Mirror, upstream: SourceRepository, builder: Builder, importing: list[str],
    script: str, code: int,
) -> None:  # fmt: skip
    debs = [*builder.platform("1.0"), builder.deb("pce-new", "1.0", "amd64")]
    upstream.release(debs)
    for argv in (published.argv("sync", "--publish"), published.argv("key"), importing):
        done = subprocess.run(
            ["bash", "-c", script, "sh", *argv], env=published.env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert "ignored" not in done.stderr, done.stderr
        last = done.stderr.strip() if ">&3" in script else ""
        assert int(last or done.returncode) == code, done.stderr
    assert published.run("verify")["sequence"] == 2


def wait_for_handlers(process: subprocess.Popen[str]) -> None:
    """Wait until a command catches SIGTERM, or has ended."""
    while process.poll() is None:
        try:
            state = Path(f"/proc/{process.pid}/status").read_text()
        except FileNotFoundError:
            return
        caught = next((x for x in state.splitlines() if x.startswith("SigCgt:")), "SigCgt: 0")
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.001)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_command_in_order_whenever_and_however_often_they_come(
    published: Mirror, importing: list[str], folder: Path, first: signal.Signals
) -> None:
    kinds = (first, signal.SIGINT, signal.SIGTERM)
    commands = (published.argv("verify"), published.argv("publish", "--force"), importing)
    for number in range(24):
        shutil.rmtree(folder / "site", ignore_errors=True)
        process = subprocess.Popen(
            commands[number % 3], env=published.env, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_for_handlers(process)
        time.sleep(0.02 * number)
        for kind in kinds:
            process.send_signal(kind)
            time.sleep(0.005)
        _out, said = process.communicate(timeout=30)
        # Those that come at one moment have no order.
        assert process.returncode in (0, *(128 + kind for kind in kinds)), said
        assert "Traceback" not in said, said
        assert "ignored" not in said, said
    published.run("sync", "--publish")
    assert published.run("verify")["files"] > 0


def test_an_interruption_before_the_command_begins_is_no_traceback(mirror: Mirror) -> None:
    code = (
        "import runpy, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'pextra_mirror.publication':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "runpy.run_module('pextra_mirror', run_name='__main__')\n"
    )
    done = subprocess.run([PYTHON, "-c", code, "status"], env=mirror.env, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == -signal.SIGINT
    assert not done.stderr


@pytest.mark.parametrize("text", [
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nA\n-----END PGP PUBLIC KEY BLOCK-----\n",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\u00e9=A\n-----END PGP PUBLIC KEY BLOCK-----\n",
])  # fmt: skip
def test_a_keyring_that_is_cut_is_refused(importing: list[str], folder: Path, text: str) -> None:
    ring = folder / "cut.asc"
    ring.write_text(text)
    done = subprocess.run([*importing[:-1], str(ring)], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "keyring cannot be read" in done.stderr


def test_what_nobody_may_write_to_is_told(published: Mirror, folder: Path) -> None:
    """By somebody who is not root, as whom nothing is to be changed."""
    nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    for path in (folder, published.folder):
        path.chmod(0o755)
    for words in (("status",), ("sync",), ("verify",), ("doctor",), ("key",)):
        done = subprocess.run([*nobody, *published.argv(*words)], env=published.env,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in (1, 9), done.stderr
    assert stat.S_IMODE((published.root / "gnupg").stat().st_mode) == 0o700
