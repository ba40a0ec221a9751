# SPDX-License-Identifier: Apache-2.0
"""Where an unattended installation finds its answers: a volume, the medium itself, or a server."""

from __future__ import annotations

import functools
import hashlib
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from guest import SERVER
from pextra_image.cli import main


class Place(StrEnum):
    """One of the three places."""

    VOLUME = "volume"
    MEDIUM = "medium"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Source:
    """What a machine is started with to find them.

    :ivar volume: the image of a disk that has them.
    :ivar port: of the server on this machine that has them.
    :ivar words: to be added to the kernel's command line.
    :ivar told: how the installer names the place.
    """

    iso: Path
    told: str
    volume: Path | None = None
    port: int | None = None
    words: str = ""


@contextmanager
def placed(place: Place, answers: str, iso: Path, folder: Path) -> Iterator[Source]:
    """Put answers in a place.

    :param iso: the medium without them.
    :param folder: for files, which are gone in the end.
    """
    file = folder / "answers.yaml"
    file.write_text(answers)
    match place:
        case Place.VOLUME:
            volume = folder / "answers.img"
            answer_volume(volume, file)
            yield Source(iso, "PEXTRA-ANSWERS:/answers.yaml", volume=volume)
        case Place.MEDIUM:
            output = folder / "dist"
            assert main(["build", "--answers", str(file), "--output", str(output)]) == 0
            made = (output / "pextra-ce-answers-answers.iso").resolve(strict=True)
            yield Source(made, "/run/live/medium/pextra/answers.yaml")
            made.unlink()
        case Place.ADDRESS:
            with _server(folder, file) as (port, pin):
                url = f"https://{SERVER}/{file.name}"
                words = f"pextra.answers={url} pextra.answers_sha256={pin}"
                yield Source(iso, url, port=port, words=words)


def answer_volume(path: Path, file: Path) -> None:
    """Make the image of a small FAT volume with an answer file."""
    argv = ["mkfs.vfat", "-n", "PEXTRA-ANSW", "-C", str(path), "1440"]
    subprocess.run(argv, check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", str(path), str(file), "::answers.yaml"], check=True)


@contextmanager
def _server(folder: Path, file: Path) -> Iterator[tuple[int, str]]:
    """Serve a file on this machine's loopback; gives the port, and what to pin."""
    key, certificate, served = folder / "server.key", folder / "server.pem", folder / "served"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    argv += ["-nodes", "-subj", "/CN=answers", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(argv, check=True, capture_output=True)
    pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
    served.mkdir()
    (served / file.name).write_bytes(file.read_bytes())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, pin
        finally:
            server.shutdown()
            thread.join()
