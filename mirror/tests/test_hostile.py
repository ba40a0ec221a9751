"""Servers that answer with anything at all: each is told in a sentence, and none is waited for."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from unusual import indexes, put, stanza

from apt_client import AptClient
from mirror_bed import Builder, Mirror, SourceHandler, SourceRepository, platform, write

INDEX = "common/binary-amd64/Packages"
Reply = bytes | Callable[[socket.socket, bytes], None]
OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """The address of a server that gives one answer to everything."""

    def answer(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            head = client.recv(65536)
            if callable(reply):
                reply(client, head)
            else:
                client.sendall(reply)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = listener.accept()
                threading.Thread(target=answer, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def told(mirror: Mirror, upstream: SourceRepository, reply: Reply) -> str:
    """What a sync says of a server that it gives up."""
    with answering(reply) as url:
        mirror.configure(platform(upstream) | {"url": url}, timeout=1, retries=1)
        process = mirror.start("sync")
        try:
            _out, said = process.communicate(timeout=20)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 4, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("location", [
    "http://a:99999/", "http://[::1", "http://a..b/", "http://127.0.0.1:1/é", "/é", "http:///x",
    "/a\1b", "gopher://\x1b[31m/", "http://xn--\xff/", "",
])  # fmt: skip
def test_a_redirection_to_anywhere_is_told(
    mirror: Mirror, upstream: SourceRepository, location: str
) -> None:
    head = f"HTTP/1.1 302 x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    said = told(mirror, upstream, head.encode("latin-1"))
    assert "\x1b" not in said


def test_what_a_server_says_has_no_effect_on_a_terminal(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    said = told(mirror, upstream, b"HTTP/1.1 500 \x1b[31mred\x07\r\nContent-Length: 0\r\n\r\n")
    assert r"500 \x1b[31mred" in said
    assert "\x1b" not in mirror.call("status").out


def endless_trailer(client: socket.socket, _head: bytes) -> None:
    """Send fields after a body, for ever."""
    client.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n")
    while True:
        client.sendall(b"X: y\r\n")
        time.sleep(0.01)


def dripping_chunk(client: socket.socket, _head: bytes) -> None:
    """Send the head of a chunk, for ever."""
    client.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n5;")
    while True:
        client.sendall(b"x")
        time.sleep(0.2)


def closing_drip(client: socket.socket, _head: bytes) -> None:
    """The same from a server that says that it closes the connection."""
    client.sendall(OK + b"Connection: close\r\n")
    with contextlib.suppress(OSError):
        client.sendall(b"Transfer-Encoding: chunked\r\n\r\n5;")
        while True:
            client.sendall(b"x")
            time.sleep(0.2)


@pytest.mark.parametrize("reply", [endless_trailer, dripping_chunk, closing_drip])
def test_a_body_that_drips_where_no_byte_counts_is_given_up(
    mirror: Mirror, upstream: SourceRepository, reply: Reply
) -> None:
    assert "too slow" in told(mirror, upstream, reply)


def whole(data: bytes, have: int) -> tuple[int, str, bytes]:
    """All of the file, as if that had been asked for."""
    return 206, f"bytes 0-{len(data) - 1}/{len(data)}", data


PARTIAL: dict[str, Callable[[bytes, int], tuple[int, str, bytes]]] = {
    "416": lambda data, have: (416, f"bytes */{len(data)}", b""),
    "all as a part": whole,
    "an earlier part": lambda data, have: (
        206, f"bytes {have - 9}-{len(data) - 1}/{len(data)}", data[have - 9 :]),
    "a later part": lambda data, have: (
        206, f"bytes {have + 9}-{len(data) - 1}/{len(data)}", data[have + 9 :]),
    "less": lambda data, have: (206, f"bytes {have}-{have + 9}/{len(data)}", data[have:][:10]),
    "501": lambda data, have: (501, "", b""),
    "other bytes": lambda data, have: (
        206, f"bytes {have}-{len(data) - 1}/{len(data)}", data[: len(data) - have]),
}  # fmt: skip


@pytest.mark.parametrize("kind", PARTIAL)
def test_a_server_that_cannot_go_on_sends_a_package_whole(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, kind: str
) -> None:
    deb = builder.deb("pce-big", "1.0", "amd64", size=90_000)
    put(upstream, {INDEX: stanza(deb).encode()}, [deb])

    class Handler(SourceHandler):
        source = upstream

        def do_GET(self) -> None:  # noqa: N802
            asked = self.headers.get("Range")
            if not asked:
                super().do_GET()
                return
            have = int(asked.removeprefix("bytes=").rstrip("-"))
            status, named, body = PARTIAL[kind](deb.data, have)
            self.send_response(status)
            self.send_header("Content-Range", named)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    upstream.handle(Handler)
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]), retries=1)
    part = mirror.root / "cache/pextra/partial" / hashlib.sha256(deb.data).hexdigest()
    write(part, deb.data[:50_000])
    mirror.run("sync", "--publish")
    assert mirror.run("verify")["sequence"] == 1


def test_white_space_that_nobody_signed_hides_nothing(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    path = upstream.root / "dists/bookworm/InRelease"
    lines = path.read_bytes().split(b"\n")
    first = lines.index(b"SHA256:") + 1
    for number in (first - 1, first, first + 1):
        lines[number] += b"\r\r \t\r"
    path.write_bytes(b"\n".join(lines))
    mirror.run("sync", "--publish")
    assert mirror.run("status")["publication"]["files"] == 2 * 3 + 2 + 3 + 4 * 2


@pytest.mark.parametrize(("fields", "code", "said"), [
    (f"SHA512:\n {'a' * 128} {'9' * 5000} x\n", 0, ""),
    ("Date: Mon, 01 Jan 2020 00:00:00 +99999999999999999999\n", 3, "has no date"),
    ("Valid-Until: Mon, 01 Jan 2020 00:00:00 +99999999999999999999\n", 3, "until when"),
    ("Valid-Until: some day\n", 3, "until when"),
    ("Valid-Until:\n", 0, ""),
    ("Label: é\x85\u2028SHA256:\n", 0, ""),
])  # fmt: skip
def test_a_signed_release_of_any_contents_is_taken_or_told(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, fields: str, code: int, said: str
) -> None:
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    deb = builder.deb("pce-web", "1.0", "amd64")
    put(upstream, indexes([deb]), [deb], fields=fields)
    done = mirror.call("sync", "--publish")
    assert (done.code, "Traceback" in done.err) == (code, False), done.err
    assert said in done.err


@pytest.mark.parametrize(("field", "value"), [
    ("Package", ".hidden"), ("Package", "a" * 300), ("Package", "a/../../../../x"),
    ("Version", "1" * 5000), ("Version", "."), ("Architecture", "é"),
])  # fmt: skip
def test_a_package_may_be_called_anything(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, field: str, value: str
) -> None:
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    deb = builder.deb("pce-web", "1.0", "amd64")
    lines = [f"{field}: {value}" if line.startswith(f"{field}:") else line
             for line in stanza(deb).splitlines()]  # fmt: skip
    put(upstream, {INDEX: "\n".join(lines).encode()}, [deb])
    mirror.run("sync", "--publish")
    mirror.run("publish", "--force")
    assert mirror.run("verify")["sequence"] == 2
    assert mirror.run("doctor")["findings"] == []


def test_two_packages_of_one_name_and_hash_that_differ_are_refused(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    deb = builder.deb("pce-web", "1.0", "amd64")
    digest, size = hashlib.sha256(deb.data).hexdigest(), f"Size: {len(deb.data)}"
    for other in (stanza(deb).replace(digest, digest[:12] + "0" * 52),
                  stanza(deb).replace(size, "Size: 5")):  # fmt: skip
        for pair in ((stanza(deb), other), (other, stanza(deb))):
            put(upstream, {INDEX: "\n".join(pair).encode()}, [deb])
            refused = mirror.call("sync", "--publish")
            assert refused.code == 3, refused.err
            assert "pce-web 1.0" in refused.err
    put(upstream, {INDEX: f"{stanza(deb)}\n{stanza(deb)}".encode()}, [deb])
    mirror.run("sync", "--publish")


def test_a_name_that_is_no_text_is_told_and_kept(
    mirror: Mirror, upstream: SourceRepository, builder: Builder
) -> None:
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    deb = builder.deb("pce-web", "1.0", "amd64")
    for data in (
        stanza(deb).encode().replace(b": pce-web", b": pce\xff\xc3").replace(b"Size:", b"Siz:"),
        stanza(deb).encode().replace(b"Filename: pool", b"Filename: \xffool"),
    ):
        put(upstream, {INDEX: data}, [deb])
        for words in (("sync",), ("publish",), ("status",), ("doctor",)):
            done = mirror.call(*words)
            assert "Traceback" not in done.err, done.err
            assert done.code in (0, 3, 4, 10)


def test_an_index_that_is_not_where_it_should_be_is_taken_from_where_apt_takes_it(
    mirror: Mirror, upstream: SourceRepository, builder: Builder, folder: Path
) -> None:
    mirror.configure(platform(upstream, components=["common"], architectures=["amd64"]))
    deb = builder.deb("pce-web", "1.0", "amd64")
    text = stanza(deb).encode()
    # It is there by neither of its hashes, and packed not even by its name.
    put(upstream, {INDEX: text, f"{INDEX}.gz": gzip.compress(text)}, [deb],
        fields="Acquire-By-Hash: yes\n")  # fmt: skip
    (upstream.root / f"dists/bookworm/{INDEX}.gz").unlink()
    client = AptClient(folder / "node", upstream.url, upstream.key.public, components="common")
    assert client.call("apt-get", "update").code in (0, 100)
    assert client.candidate("pce-web") == "1.0"
    mirror.run("sync", "--publish")
    (upstream.root / f"dists/bookworm/{INDEX}").unlink()
    shutil.rmtree(mirror.root / "cache")
    shutil.rmtree(mirror.root / "snapshots")
    gone = mirror.call("sync")
    assert gone.code == 4, gone.err


def test_user_and_password_are_sent_to_the_source_alone_and_told_nobody(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    seen: list[tuple[str, str | None]] = []

    class Guarded(SourceHandler):
        source = upstream

        def do_GET(self) -> None:  # noqa: N802
            seen.append((self.path, self.headers.get("Authorization")))
            wanted = base64.b64encode(b"me:s3c@t").decode()
            if self.headers.get("Authorization") != f"Basic {wanted}":
                self.send_error(HTTPStatus.UNAUTHORIZED)
                return
            super().do_GET()

    upstream.handle(Guarded)
    secret = upstream.url.replace("//", "//me:s3c%40t@")
    mirror.configure(platform(upstream) | {"url": secret})
    mirror.run("sync", "--publish")
    assert all(sent for _path, sent in seen)
    upstream.handle(type("Other", (Guarded,), {"do_GET": lambda self: self.send_error(503)}))
    mirror.configure(platform(upstream) | {"url": secret}, retries=1)
    done = [mirror.call(*words) for words in (("sync",), ("status",), ("doctor",), ("publish",))]
    texts = [item.out + item.err for item in done]
    texts += [path.read_text(errors="replace") for path in mirror.root.rglob("*")
              if path.is_file() and "gnupg" not in path.parts]  # fmt: skip
    assert "127.0.0.1" in texts[0]
    assert not [text for text in texts if "s3c" in text]


def test_a_redirection_elsewhere_gets_no_password(
    mirror: Mirror, upstream: SourceRepository
) -> None:
    heads: list[bytes] = []

    def note(client: socket.socket, head: bytes) -> None:
        heads.append(head)
        client.sendall(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")

    with answering(note) as other:
        lead = f"HTTP/1.1 302 x\r\nLocation: {other}/x\r\nContent-Length: 0\r\n\r\n".encode()
        with answering(lead) as first:
            secret = first.replace("//", "//me:s3cret@")
            mirror.configure(platform(upstream) | {"url": secret}, retries=1)
            assert mirror.call("sync").code == 3
    assert heads
    assert not [head for head in heads if b"Authorization" in head]
