"""Publishing: switches, retention, rollback, verification, and the command itself."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from apt_client import AptClient
from mirror_bed import Builder, Key, Mirror, SourceRepository, platform, run


def names(mirror: Mirror) -> set[str]:
    """Names of the snapshots."""
    return {path.name for path in (mirror.root / "snapshots").iterdir()}


def test_init_twice_keeps_key_and_identity(mirror: Mirror) -> None:
    first = mirror.run("init")
    assert mirror.run("init") == first
    assert (mirror.root / "gnupg").stat().st_mode & 0o777 == 0o700


def test_init_takes_a_key_that_was_made_elsewhere(
    folder: Path, upstream: SourceRepository, stranger: Key
) -> None:
    secret = folder / "secret.gpg"
    run("gpg", "--batch", "--output", secret, "--export-secret-keys", env=stranger.env)
    mirror = Mirror(folder / "other", platform(upstream))
    assert mirror.run("init", "--import-key", secret)["key"] == stranger.fingerprint
    mirror.run("sync", "--publish")
    mirror.stop()


def test_init_takes_no_key_that_is_not_secret_and_none_beside_another(
    folder: Path, upstream: SourceRepository, stranger: Key
) -> None:
    mirror = Mirror(folder / "other", platform(upstream))
    done = mirror.call("init", "--import-key", stranger.public)
    assert done.code == 2
    assert "has no secret key" in done.err
    key = mirror.run("init")["key"]
    secret = folder / "secret.gpg"
    run("gpg", "--batch", "--output", secret, "--export-secret-keys", env=stranger.env)
    done = mirror.call("init", "--import-key", secret)
    assert done.code == 2
    assert f"has the key {key} already" in done.err
    assert mirror.run("init")["key"] == key
    mirror.configure(platform(upstream), signing_key=stranger.fingerprint)
    assert mirror.run("init", "--import-key", secret)["key"] == stranger.fingerprint
    mirror.stop()


def test_init_says_what_to_do_when_another_key_signed_what_is_served(published: Mirror) -> None:
    published.stop()
    shutil.rmtree(published.root / "gnupg")
    argv = [word for word in published.argv("init") if word != "--json"]
    for said in (True, False):
        done = subprocess.run(argv, env=published.env, capture_output=True, text=True, check=False)
        assert ("publish --force" in done.stdout) is said, done.stdout + done.stderr


def test_where_no_mirror_is_every_command_says_so_and_makes_nothing(
    folder: Path, upstream: SourceRepository
) -> None:
    mirror = Mirror(folder / "none", platform(upstream))
    for words in (
        ("status",), ("sync",), ("publish",), ("verify",), ("doctor",), ("rollback",), ("key",),
        ("export", "--output", folder / "out"), ("serve", "--port", "0"),
    ):  # fmt: skip
        done = subprocess.run(
            mirror.argv(*words), env=mirror.env, capture_output=True, text=True, check=False,
            timeout=30,
        )  # fmt: skip
        assert done.returncode == 10, (words, done.stderr)
        assert "is no mirror yet. pextra-mirror init" in done.stderr
    assert not mirror.root.exists()


def test_status_says_in_words_what_a_source_lacks(mirror: Mirror) -> None:
    assert "source pextra was never synced" in str(mirror.call("status").json["problems"])


def test_a_key_store_of_another_user_is_worked_on_as_that_user(tmp_path: Path) -> None:
    from pextra_mirror.gpg import KeyStore

    command = f"gpg --homedir {tmp_path} --quick-set-expire ABC 2y"
    for uid, said in ((0, command), (65534, f"runuser -u nobody -- {command}"), (4321, command)):
        os.chown(tmp_path, uid, -1)
        assert KeyStore(tmp_path).extending("ABC") == said


def test_init_without_configuration_writes_the_example_and_makes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pextra_mirror import commands
    from pextra_mirror.config import EXAMPLE
    from pextra_mirror.errors import ConfigError

    root = tmp_path / "root"
    example = EXAMPLE.replace("/var/lib/pextra-mirror", str(root))
    monkeypatch.setattr(commands, "EXAMPLE", example)
    wanted = argparse.Namespace(config=tmp_path / "etc/config.toml", import_key=None, wait=0)
    assert "run `pextra-mirror init` again" in commands.init(wanted)["text"]
    assert wanted.config.exists()
    assert not root.exists(), "it is where the operator had no say"
    with pytest.raises(ConfigError, match=r"the keyring .* is not there"):
        commands.init(wanted)
    assert not root.exists(), "the example was not edited"
    keyring = tmp_path / "keys.gpg"
    keyring.touch()
    text = wanted.config.read_text()
    wanted.config.write_text(text.replace("/usr/share/keyrings/pextra-ce.gpg", str(keyring)))
    commands.init(wanted)
    assert (root / "gnupg").is_dir()
    run("gpgconf", "--kill", "all", env={"GNUPGHOME": str(root / "gnupg")})


def test_init_without_configuration_writes_an_example_that_is_valid(tmp_path: Path) -> None:
    from pextra_mirror.config import EXAMPLE, parse

    assert [item.name for item in parse(EXAMPLE, "example").sources] == ["pextra"]
    commented = EXAMPLE.replace("# [[", "[[").replace("\n# ", "\n").replace("\n#\n", "\n")
    whole = commented.replace("What nodes need", "# What nodes need").split("\n", 1)[1]
    assert len(parse(whole, "example").sources) == 3


@pytest.mark.parametrize(("line", "said"), [
    ("colour = 1", "'colour' is unknown"),
    ("keep = '5'", "keep must be of type int"),
    ("keep = 1", "keep must be at least 2"),
    ("keep = ", "Invalid value"),
    ("root = 'here'", "absolute path"),
    ("sources = []", "'sources' is unknown. Each source is a table [[source]]"),
    ("source_ = []", "Known are root, [[source]], keep"),
    ('root = "/a\\u0000b"', "absolute path"),
    ("timeout = 0", "timeout must be at least 1"),
    (f"timeout = {10**17}", "timeout must be at most"),
    (f"timeout = {'1' * 5000}", "config.toml"),
    ("transfers = 0", "transfers must be at least 1"),
    (f"colour = {'[' * 3000}", "config.toml"),
])  # fmt: skip
def test_a_configuration_that_is_wrong_is_refused(mirror: Mirror, line: str, said: str) -> None:
    text = mirror.config.read_text()
    kept = [item for item in text.splitlines() if item.split(" ")[0] != line.split(" ")[0]]
    mirror.config.write_text("\n".join([line, *kept]))
    done = mirror.call("sync")
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize("url", [
    "http://h:99999/", "http://h:w/", "http://[::1/", "http://h/\u00e9", "http://h/a b", "http://h/?a",
    "http://h/#a", "http://:80/", "http://@/", "http:///x", "http://me:s3cret@[x/", "http://h/a\nb",
])  # fmt: skip
def test_an_address_that_is_none_is_refused(
    mirror: Mirror, upstream: SourceRepository, url: str
) -> None:
    mirror.configure(platform(upstream) | {"url": url})
    done = mirror.call("status")
    assert done.code == 2, done.err
    assert "url" in done.err
    assert "s3cret" not in done.err


def test_snapshots_of_one_day_do_not_collide_and_the_last_are_kept(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.configure(platform(upstream), keep=2)
    for version in ("1.0", "2.0", "1.0", "2.0"):
        upstream.release(builder.platform(version))
        mirror.run("sync", "--publish")
    found = mirror.run("status")
    assert found["publications"] == [3, 4]
    assert len(names(mirror)) == 4  # two components, two publications


def test_packages_go_with_the_last_publication_that_has_them(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.configure(platform(upstream), keep=2)
    for version, kept in (("1.0", {"1.0"}), ("2.0", {"1.0", "2.0"}), ("1.0", {"1.0", "2.0"}),
                          ("3.0", {"1.0", "3.0"}), ("3.1", {"3.0", "3.1"})):  # fmt: skip
        upstream.release(builder.platform(version))
        mirror.run("sync", "--publish")
        found = {path.name.split("_")[2] for path in mirror.public.glob("pextra/pool/**/*.deb")}
        assert found == kept
        mirror.run("verify")


def test_rollback_is_a_new_publication_that_apt_follows_and_that_stays(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    mirror.run("sync", "--publish")
    upstream.release(builder.platform("2.0"))
    mirror.run("sync", "--publish")
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key())
    client.update()
    assert client.candidate("pce-common") == "2.0"
    time.sleep(1.1)  # a Release has its date in seconds, and apt takes no older one
    assert mirror.run("rollback")["publication"] == 3
    client.update()
    assert client.candidate("pce-common") == "1.0"
    client.install("pce-common")
    held = mirror.run("sync", "--publish")
    assert "rolled back to publication 1" in held["held"]
    assert mirror.run("status")["publication"]["sequence"] == 3
    assert mirror.run("publish")["publication"] == 4
    assert mirror.run("sync", "--publish")["held"] == ""
    assert mirror.call("rollback", "--to", "17").code == 2


def test_verify_names_what_has_changed(mirror: Mirror) -> None:
    assert mirror.call("verify").code == 10
    mirror.run("sync", "--publish")
    path = next(mirror.public.glob("pextra/pool/**/*_pce-web_1.0_arm64.deb"))
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + b"!")
    done = mirror.call("verify")
    assert done.code == 8
    assert "pce-web_1.0_arm64.deb" in done.err


def test_a_package_that_was_built_again_under_its_version_is_served_beside_the_other(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    mirror.run("sync", "--publish")
    early = AptClient(folder / "early", f"{site}/pextra", mirror.key())
    early.update()
    before = next(deb for deb in builder.platform("1.0") if deb.name == "pce-web")
    changed = builder.deb("pce-web", "1.0", "amd64", size=2001)
    rest = [deb for deb in builder.platform("1.0") if deb.path != changed.path]
    upstream.release([*rest, changed])
    assert mirror.run("sync", "--publish")["publication"] == 2
    assert mirror.run("verify")["sequence"] == 2
    late = AptClient(folder / "late", f"{site}/pextra", mirror.key())
    late.update()
    for client, deb in ((early, before), (late, changed)):
        client.install("pce-web")
        cached = client.root / "usr/share/pce-web/data"
        assert cached.read_bytes() in deb.data


def test_indexes_of_the_publication_before_are_found_by_their_hash(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.run("sync", "--publish")
    folder = mirror.public / "pextra/dists/bookworm/common/binary-amd64/by-hash"
    before = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    upstream.release(builder.platform("2.0"))
    mirror.run("sync", "--publish")
    after = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert before < after


def test_what_a_publication_needs_is_found_in_debian(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    debs = [
        builder.deb("libfoo", "1", "amd64", "main"),
        builder.deb("daemon", "1", "amd64", "main", "libfoo (>= 1)"),
        builder.deb("games", "1", "amd64", "main", "libfoo"),
        builder.deb("base", "1", "amd64", "main", extra="Priority: required\n"),
        builder.deb("chosen", "1", "amd64", "main", "absent | versioned-name"),
        builder.deb("provider", "1", "amd64", "main", extra="Provides: versioned-name (= 1)\n"),
        builder.deb(
            "second", "1", "amd64", "main", "daemon | games", extra="Multi-Arch: allowed\n"
        ),
    ]
    own = builder.deb("pce-extra", "1", "amd64", "common",
                      "daemon (>= 1) | other, pce-node, not-there | second:any")  # fmt: skip
    upstream.release([*builder.platform("1.0"), own])
    upstream.release(debs, distribution="trixie", components=["main"])
    security = [builder.deb("libfoo", "2", "amd64", "main"), debs[2]]
    upstream.release(security, distribution="trixie-security", components=["main"],
                     named="updates/")  # fmt: skip
    debian = platform(
        upstream, name="debian", distribution="trixie", components=["main"],
        architectures=["amd64"],
    )  # fmt: skip
    mirror.configure(
        platform(upstream),
        {**debian, "base": True, "packages": ["chosen"], "depends_of": ["pextra"]},
        {**debian, "name": "security", "distribution": "trixie-security",
         "updates_of": ["debian"]},
    )  # fmt: skip
    mirror.run("sync", "--publish")
    found = {path.name.partition("_")[2] for path in mirror.public.glob("debian/pool/**/*.deb")}
    names = ("libfoo", "daemon", "base", "chosen", "provider", "second")
    assert found == {f"{name}_1_amd64.deb" for name in names}
    assert {
        path.name.partition("_")[2] for path in mirror.public.glob("security/pool/**/*.deb")
    } == {"libfoo_2_amd64.deb"}
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key())
    with (client.root / "etc/apt/sources.list.d/mirror.sources").open("a") as file:
        file.write(f"\nTypes: deb\nURIs: {site}/debian\nSuites: trixie\nComponents: main\n"
                   f"Signed-By: {mirror.folder}/mirror.asc\n")  # fmt: skip
    client.update()
    client.install("pce-extra", "chosen")
    assert {"libfoo", "daemon", "provider", "second"} <= set(client.installed())


def test_a_package_that_is_chosen_and_not_there_is_named(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    mirror.configure(platform(upstream, components=["common"], packages=["pce-web", "pce-wep"]))
    refused = mirror.call("sync")
    assert refused.code == 3
    assert "has no package pce-wep in common" in refused.err


def test_apt_sees_no_mismatch_while_publications_change(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    hammer(mirror, upstream, builder, site, folder, publications=6)


@pytest.mark.long
def test_apt_sees_no_mismatch_during_a_hundred_publications(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    assert hammer(mirror, upstream, builder, site, folder, publications=100) >= 100


def hammer(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path,
    publications: int,
) -> int:  # fmt: skip
    """Have apt update all the time while publications change; how often it did."""
    mirror.run("sync", "--publish")
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key())
    done, updates = threading.Event(), 0
    failures: list[str] = []

    def update() -> None:
        nonlocal updates
        while not done.is_set():
            found = client.call("apt-get", "update")
            updates += 1
            if found.code or found.err.strip():
                failures.append(found.err)

    thread = threading.Thread(target=update)
    thread.start()
    try:
        for number in range(publications):
            upstream.release(builder.platform(("1.0", "2.0")[number % 2]))
            mirror.run("sync", "--publish")
    finally:
        done.set()
        thread.join()
    assert not failures, f"{len(failures)} of {updates}: {failures[0]}"
    assert updates > 0
    return updates


def test_help_teaches_and_a_wrong_command_line_is_code_2(mirror: Mirror) -> None:
    done = subprocess.run(
        [*mirror.argv("sync")[:3], "--help"], env=mirror.env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "exit codes" in done.stdout
    assert mirror.call("sync", "--nonsense").code == 2
    assert mirror.call("sync", "nosuch").code == 2


def test_the_metrics_file_tells_of_a_failure(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, stranger: Key
) -> None:
    path = mirror.folder / "metrics/pextra_mirror.prom"
    mirror.configure(platform(upstream), metrics_file=str(path))
    mirror.run("sync", "--publish")
    assert 'pextra_mirror_sync_ok{source="pextra"} 1' in path.read_text()
    upstream.release(builder.platform("2.0"), key=stranger)
    assert mirror.call("sync", "--publish").code == 3
    assert 'pextra_mirror_sync_ok{source="pextra"} 0' in path.read_text()
    assert "pextra_mirror_publication 1" in path.read_text()


def test_serve_serves_the_tree_and_not_its_records(mirror: Mirror, folder: Path) -> None:
    mirror.run("sync", "--publish")
    process = mirror.start("serve", "--port", "0")
    assert process.stderr is not None
    url = process.stderr.readline().split(" at ")[1].strip().rstrip("/")
    client = AptClient(folder / "node", f"{url}/pextra", mirror.key())
    client.update()
    client.install("pce-common")
    listing = f"{url}/.generations/1/listing.json"
    assert subprocess.run(["curl", "-sf", listing], check=False).returncode == 22
    process.terminate()
    process.communicate()
    assert process.returncode == 143
