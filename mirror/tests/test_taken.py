"""What apt takes is taken, what apt refuses is refused, and both are told as they are."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from unusual import Sign, indexes, put, stanza, two_keys

from apt_client import AptClient
from mirror_bed import (
    Builder,
    Fault,
    Key,
    Mirror,
    SourceRepository,
    platform,
    run,
    write,
)


@pytest.fixture
def common(mirror: Mirror, upstream: SourceRepository) -> Mirror:
    """A mirror of the component common for amd64."""
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    return mirror


def apt_takes(upstream: SourceRepository, folder: Path, *packages: str, key: Path | None = None) \
        -> bool:  # fmt: skip
    """Whether apt takes a source as it is, and downloads packages from it."""
    client = AptClient(folder / "direct", upstream.url, key or upstream.key.public,
                       components="common")  # fmt: skip
    if client.call("apt-get", "update").code:
        return False
    done = client.call("apt-get", "install", "--yes", "--download-only", *packages)
    return not packages or done.code == 0


def installs(mirror: Mirror, site: str, folder: Path, *packages: str) -> None:
    """A node that has the mirror alone installs packages."""
    mirror.run("sync", "--publish")
    client = AptClient(folder / "node", f"{site}/pextra", mirror.key(), components="common")
    client.update()
    client.install(*packages)
    assert set(packages) <= set(client.installed())


@pytest.mark.parametrize("strangers_first", [False, True])
def test_one_signature_by_a_key_of_the_keyring_is_enough(
    common: Mirror, upstream: SourceRepository, builder: Builder, stranger: Key, site: str,
    folder: Path, strangers_first: bool,
) -> None:  # fmt: skip
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    keys = (stranger, upstream.key) if strangers_first else (upstream.key, stranger)
    put(upstream, indexes(debs), debs, sign=two_keys(*keys))
    assert apt_takes(upstream, folder, "pce-web")
    installs(common, site, folder, "pce-web")


@pytest.mark.parametrize("pinned", [0, 1])
def test_a_pin_on_either_of_two_signers_is_met(
    common: Mirror, upstream: SourceRepository, builder: Builder, stranger: Key, pinned: int
) -> None:
    debs, keys = [builder.deb("pce-web", "1.0", "amd64")], (upstream.key, stranger)
    put(upstream, indexes(debs), debs, sign=two_keys(*keys))
    ring = common.folder / "both.gpg"
    ring.write_bytes(b"".join(key.public.read_bytes() for key in keys))
    chosen = {"keyring": str(ring), "fingerprints": [keys[pinned].fingerprint]}
    common.configure(platform(upstream, components=["common"], architectures=["amd64"], **chosen))
    found = common.run("sync")
    assert found["sources"][0]["signer"] == keys[pinned].fingerprint


def test_packages_listed_for_all_architectures_only_are_served(
    common: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64", depends="pce-doc"),
            builder.deb("pce-doc", "1.0", "all")]  # fmt: skip
    files = indexes(debs[:1]) | {"common/binary-all/Packages": stanza(debs[1]).encode()}
    put(upstream, files, debs)
    assert apt_takes(upstream, folder, "pce-web")
    installs(common, site, folder, "pce-web", "pce-doc")


def test_an_index_for_all_that_the_others_contain_is_not_fetched(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64"), builder.deb("pce-doc", "1.0", "all")]
    files = indexes(debs) | {"common/binary-all/Packages": stanza(debs[1]).encode()}
    put(upstream, files, debs, fields="No-Support-for-Architecture-all: Packages\n")
    upstream.paths()
    common.run("sync", "--publish")
    assert not [path for path in upstream.paths() if "binary-all" in path]
    put(upstream, files, debs)
    assert common.run("sync", "--publish")["changed"] is False, "none is listed twice"


def test_a_source_that_names_neither_suite_nor_codename_is_taken(
    common: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs), debs, names="")
    assert apt_takes(upstream, folder, "pce-web")
    installs(common, site, folder, "pce-web")


def test_a_source_with_sha512_alone_is_taken(
    common: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs, digest="sha512"), debs, lists="SHA512")
    assert apt_takes(upstream, folder, "pce-web")
    common.run("sync")
    upstream.paths()
    installs(common, site, folder, "pce-web")
    assert common.run("verify")["sequence"] == 1
    debs.append(builder.deb("pce-node", "1.0", "amd64"))
    put(upstream, indexes(debs, digest="sha512"), debs, lists="SHA512")
    common.run("sync", "--publish")
    fetched = [path for path in upstream.paths() if path.endswith(".deb")]
    assert fetched == [debs[1].path], "the other was here already"
    damaged = next(common.public.glob("pextra/pool/**/*_pce-web_1.0_amd64.deb"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    common.run("sync", "--publish")
    assert common.run("verify")["mended"] == 0


@pytest.mark.parametrize("end", ["zst", "xz", "bz2", "gz"])
def test_an_index_is_taken_whatever_it_is_packed_with(
    common: Mirror, upstream: SourceRepository, builder: Builder, end: str
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    program = {"zst": "zstd", "xz": "xz", "bz2": "bzip2", "gz": "gzip"}[end]
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    files = {f"{name}.{end}": run(program, "-c", stdin=data)
             for name, data in indexes(debs).items()}  # fmt: skip
    put(upstream, files, debs)
    common.run("sync", "--publish")
    assert list(common.public.glob("pextra/pool/**/*_pce-web_1.0_amd64.deb"))


@pytest.mark.parametrize("name", [
    "pce-web_1%3a1.0_amd64.deb", "a#b.deb", "a b.deb", "a@b=c,d.deb", "é.deb", "a?b&c.deb",
    "a%2fb.deb", "~a+b;c.deb",
])  # fmt: skip
def test_a_package_may_have_any_file_name(
    common: Mirror, upstream: SourceRepository, builder: Builder, site: str, folder: Path, name: str
) -> None:
    deb = builder.deb("pce-web", "1:1.0", "amd64")
    path = f"pool/some where/{name}"
    write(upstream.root / path, deb.data)
    upstream.root.joinpath(deb.path).parent.mkdir(parents=True, exist_ok=True)
    put(upstream, indexes([deb], path=path), [])
    common.run("sync", "--publish")
    assert list(common.public.glob("pextra/pool/**/*_pce-web_1.0_amd64.deb"))
    # apt itself cannot fetch what has a # in its name.
    if name == "pce-web_1%3a1.0_amd64.deb":
        assert apt_takes(upstream, folder, "pce-web")
        installs(common, site, folder, "pce-web")


def test_a_release_that_is_not_valid_yet_is_refused_and_blocks_nothing(
    common: Mirror, upstream: SourceRepository, builder: Builder, folder: Path
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs), debs, moment=time.time() + 86400 * 3650)
    assert not apt_takes(upstream, folder)
    refused = common.call("sync")
    assert refused.code == 3
    assert "not valid yet" in refused.err
    assert "clock" in refused.err
    put(upstream, indexes(debs), debs)
    common.run("sync", "--publish")
    record = common.root / "state/source-pextra.json"
    ahead = record.read_text().replace('"date": "20', '"date": "21')
    record.write_text(ahead)
    put(upstream, indexes(debs), debs, fields="Label: again\n")
    common.run("sync", "--publish")


def test_an_older_release_is_taken_when_told_to(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs), debs)
    common.run("sync", "--publish")
    put(upstream, indexes(debs), debs, moment=time.time() - 86400)
    refused = common.call("sync")
    assert refused.code == 3
    assert "--accept older" in refused.err
    common.run("sync", "--accept", "older")
    common.run("sync")


def test_a_source_that_was_emptied_is_asked_about(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    debs = [builder.deb(f"part{number}", "1.0", "amd64") for number in range(4)]
    put(upstream, indexes(debs), debs)
    common.run("sync", "--publish")
    for left in (debs[:1], []):
        put(upstream, indexes(left), left)
        refused = common.call("sync", "--publish")
        assert refused.code == 3
        assert f"has {len(left)} packages in common, where it had 4" in refused.err
        assert common.run("verify")["sequence"] == 1
    assert common.run("sync", "--publish", "--accept", "fewer")["publication"] == 2
    assert common.run("sync", "--publish")["changed"] is False


def test_half_of_the_packages_may_go(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    debs = [builder.deb(f"part{number}", "1.0", "amd64") for number in range(4)]
    for left in (debs, debs[:2]):
        put(upstream, indexes(left), left)
        common.run("sync", "--publish")
    assert common.run("status")["publication"]["sequence"] == 2


def test_a_clock_that_is_behind_is_told_as_that(
    common: Mirror, upstream: SourceRepository, builder: Builder, folder: Path
) -> None:
    home = folder / "ahead"
    home.mkdir(mode=0o700)
    env = {"GNUPGHOME": str(home)}
    future = ("--faked-system-time", "20400101T000000!")
    run("gpg", "--batch", *future, "--passphrase", "", "--quick-generate-key", "a@test", "ed25519",
        "sign", "never", env=env)  # fmt: skip
    ring = home / "ring.gpg"
    run("gpg", "--batch", "--output", ring, "--export", env=env)
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs), debs, sign=lambda text: run(
        "gpg", "--batch", *future, "--clearsign", env=env, stdin=text.encode()))  # fmt: skip
    run("gpgconf", "--kill", "all", env=env)
    common.configure(platform(upstream, components=["common"], keyring=str(ring)))
    refused = common.call("sync")
    assert refused.code == 3
    assert "2040-01-01" in refused.err
    assert "clock is behind" in refused.err


def test_a_page_in_place_of_a_package_does_not_spoil_the_next_sync(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    deb = builder.deb("pce-web", "1.0", "amd64")
    put(upstream, indexes([deb]), [deb])
    path = upstream.root / deb.path
    for page in (b"<html>short", b"<html>".ljust(len(deb.data)), b"<html>".ljust(99_999)):
        path.write_bytes(page)
        failed = common.call("sync", "--publish")
        assert failed.code == 4, failed.err
        assert "pce-web_1.0_amd64.deb" in failed.err
    part = common.root / "cache/pextra/partial" / hashlib.sha256(deb.data).hexdigest()
    part.write_bytes(b"<html>left by an earlier version")
    path.write_bytes(deb.data)
    upstream.paths()
    common.run("sync", "--publish")
    assert common.run("verify")["sequence"] == 1


def weak(folder: Path, *, bits: int, digest: str) -> tuple[Path, Sign]:
    """A keyring, and what signs with its key."""
    home = folder / f"weak-{bits}-{digest}"
    home.mkdir(mode=0o700)
    env = {"GNUPGHOME": str(home)}
    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "a@test", f"rsa{bits}",
        "sign", "never", env=env)  # fmt: skip
    ring = home / "ring.gpg"
    run("gpg", "--batch", "--output", ring, "--export", env=env)

    def sign(text: str) -> bytes:
        argv = ("gpg", "--batch", "--digest-algo", digest, "--clearsign")
        signed = run(*argv, env=env, stdin=text.encode())
        run("gpgconf", "--kill", "all", env=env)
        return signed

    return ring, sign


@pytest.mark.parametrize(("bits", "digest", "said"), [
    (2048, "SHA1", "SHA-1"), (2048, "RIPEMD160", "RIPEMD160"), (1024, "SHA512", "RSA of 1024"),
    (2048, "SHA256", ""),
])  # fmt: skip
def test_a_signature_that_can_be_forged_does_not_count(
    common: Mirror, upstream: SourceRepository, builder: Builder, folder: Path, bits: int,
    digest: str, said: str,
) -> None:  # fmt: skip
    ring, sign = weak(folder, bits=bits, digest=digest)
    debs = [builder.deb("pce-web", "1.0", "amd64")]
    put(upstream, indexes(debs), debs, sign=sign)
    # apt of Debian 12 still takes RSA of 1024 bits; that of Debian 13 refuses it.
    assert apt_takes(upstream, folder, key=ring) is (not said or bits == 1024)
    common.configure(platform(upstream, components=["common"], architectures=["amd64"],
                              keyring=str(ring)))  # fmt: skip
    done = common.call("sync")
    assert done.code == (3 if said else 0), done.err
    assert said in done.err


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda text: text.replace("Size: ", "Siz: "), "pce-web no Size"),
    (lambda text: text.replace("SHA256: ", "MD5sum: "), "no SHA256 or SHA512"),
    (lambda text: text.replace("Size: ", "Size: 1e9"), "no Size"),
    (lambda text: text.replace("Filename: ", "Filename: ../../"), "no Filename"),
    (lambda text: text.replace("Package: ", "Packag: "), "no Package"),
    (lambda text: text.replace("SHA256: ", "SHA256: zz"), "no SHA256"),
])  # fmt: skip
def test_an_index_that_cannot_be_verified_is_refused_by_name(
    common: Mirror, upstream: SourceRepository, builder: Builder, spoil: Callable[[str], str],
    said: str,
) -> None:  # fmt: skip
    deb = builder.deb("pce-web", "1.0", "amd64")
    name = "common/binary-amd64/Packages"
    put(upstream, {name: spoil(stanza(deb)).encode()}, [deb])
    refused = common.call("sync")
    assert refused.code == 3, refused.err
    assert said in refused.err
    assert "Traceback" not in refused.err


def test_an_index_that_cannot_be_unpacked_is_refused(
    common: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    deb = builder.deb("pce-web", "1.0", "amd64")
    packed = gzip.compress(stanza(deb).encode())
    for end, data in (("gz", packed[:-9]), ("xz", b"nonsense"), ("zst", b"nonsense")):
        put(upstream, {f"common/binary-amd64/Packages.{end}": data}, [deb])
        refused = common.call("sync")
        assert refused.code in (3, 9), refused.err
        assert "Traceback" not in refused.err


def test_a_release_without_an_end_is_not_read_to_its_end(
    common: Mirror, upstream: SourceRepository
) -> None:
    path = upstream.root / "dists/bookworm/InRelease"
    with path.open("r+b") as file:
        file.truncate(200 * 2**20)
    program = common.argv("sync")
    limited = ["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", *program]
    done = subprocess.run(limited, env=common.env, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "more than 16777216 bytes" in done.stderr


@pytest.mark.parametrize("where", ["InRelease", "_amd64.deb"])
def test_a_source_that_drips_is_given_up(
    common: Mirror, upstream: SourceRepository, builder: Builder, where: str
) -> None:
    deb = builder.deb("pce-web", "1.0", "amd64", size=400_000)
    put(upstream, indexes([deb]), [deb])
    common.configure(
        platform(upstream, components=["common"], architectures=["amd64"]), timeout=1, retries=2
    )
    upstream.faults[where] = Fault(after=10**9, drip=0.05)
    given_up = common.call("sync")
    assert given_up.code == 4, given_up.err
    assert "too slow" in given_up.err
    upstream.faults.clear()
    common.run("sync")


def test_a_source_that_drips_the_head_of_its_answer_is_given_up(
    common: Mirror, upstream: SourceRepository
) -> None:
    common.configure(platform(upstream, components=["common"]), timeout=1, retries=2)
    upstream.faults["InRelease"] = Fault(after=10**9, drip=0.05, head=True)
    assert common.call("sync").code == 4
