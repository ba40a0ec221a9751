"""Where answers come from."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.server
import pathlib
import ssl
import threading
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pextra_installer.answers import files, sources
from pextra_installer.answers.download import AddressError
from pextra_installer.problems import InstallerError

ANSWERS = (pathlib.Path(__file__).parent.parent / "fixtures/accepted/minimal.yaml").read_bytes()


class Server(http.server.ThreadingHTTPServer):
    """Answers with what `script` says, one entry a request, the last one for ever."""

    script: list[int]
    requests: int = 0
    url: str
    pin: str


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        script = self.server.script
        status = script[min(self.server.requests, len(script) - 1)]
        self.server.requests += 1
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.wfile.write(ANSWERS)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "answers")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    made = Server(("127.0.0.1", 0), Handler)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.script = [200]
    made.url = f"https://127.0.0.1:{made.server_address[1]}/node1.yaml"
    made.pin = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def find(url: str, pin: str | None, waits: list[float]) -> sources.Found | None:
    line = f"quiet pextra.answers={url}" + (f" pextra.answers_sha256={pin}" if pin else "")
    return sources.find(line, tell=lambda _line: None, sleep=waits.append)


def test_answers_come_from_the_address_of_the_command_line(server: Server) -> None:
    waits: list[float] = []
    found = find(server.url, server.pin, waits)
    assert found is not None
    assert found.plan() == files.parse(ANSWERS, files.Format.YAML, "fixture")
    assert waits == []


def test_a_pin_may_be_written_with_colons_and_capitals(server: Server) -> None:
    pin = ":".join(server.pin[i : i + 2] for i in range(0, 64, 2)).upper()
    assert find(server.url, pin, []) is not None


def test_another_certificate_is_refused_at_once_and_sees_no_request(server: Server) -> None:
    waits: list[float] = []
    with pytest.raises(AddressError, match=r"certificate has the SHA-256"):
        find(server.url, "0" * 64, waits)
    assert (server.requests, waits) == (0, [])


def test_without_a_pin_an_unknown_authority_is_refused(server: Server) -> None:
    with pytest.raises(AddressError, match=r"pextra\.answers_sha256"):
        find(server.url, None, [])
    assert server.requests == 0


def test_a_server_that_is_not_ready_is_asked_again_with_longer_pauses(server: Server) -> None:
    server.script = [503, 500, 429, 200]
    waits: list[float] = []
    assert find(server.url, server.pin, waits) is not None
    assert waits == [1.0, 2.0, 4.0]


def test_attempts_end(server: Server) -> None:
    server.script = [503]
    waits: list[float] = []
    with pytest.raises(AddressError, match="after 12 attempts"):
        find(server.url, server.pin, waits)
    assert server.requests == sources.ATTEMPTS
    assert len(waits) == sources.ATTEMPTS - 1
    assert max(waits) == sources.LONGEST_PAUSE


def test_a_file_that_is_not_there_is_not_asked_for_again(server: Server) -> None:
    server.script = [404]
    with pytest.raises(AddressError, match="404"):
        find(server.url, server.pin, [])
    assert server.requests == 1


@pytest.mark.parametrize(
    ("url", "pin"),
    [
        ("http://192.0.2.1/a.yaml", None),
        ("https:///a.yaml", None),
        ("https://192.0.2.1/a.txt", None),
        ("https://192.0.2.1/a.yaml", "abc"),
        ("https://192.0.2.1:99999/a.yaml", None),
        ("https://192.0.2.1:x/a.yaml", None),
        ("https://192.0.2.1:0/a.yaml", None),
        ("https://[::1/a.yaml", None),
        ("https://a..b/a.yaml", None),
        (f"https://{'a' * 70}.example.com/a.yaml", None),
        ("https://192.0.2.1/\u00e4.yaml", None),
        ("https://user:geheim@192.0.2.1/a.yaml", None),
        ("https://user:geheim@192.0.2.1/a.txt", None),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_any_connection(
    url: str, pin: str | None
) -> None:
    waits: list[float] = []
    with pytest.raises(InstallerError) as caught:
        find(url, pin, waits)
    assert waits == []
    assert caught.value.code == 3
    assert "geheim" not in str(caught.value)


def test_a_file_in_the_medium_is_found_and_several_are_an_error(tmp_path: pathlib.Path) -> None:
    assert sources.from_directories((tmp_path,)) is None
    (tmp_path / "answers.yaml").write_bytes(ANSWERS)
    found = sources.from_directories((tmp_path / "none", tmp_path))
    assert found is not None
    assert found.source == str(tmp_path / "answers.yaml")
    (tmp_path / "answers.toml").write_text("")
    with pytest.raises(InstallerError, match=r"several answer files: answers\.yaml, answers\.toml"):
        sources.from_directories((tmp_path,))


def test_the_command_line_is_read_as_the_kernel_reads_it() -> None:
    given = sources.options('quiet a=1 a=2 pextra.answers="https://h/a b.yaml" root=UUID=x')
    assert given == {"a": "2", "pextra.answers": "https://h/a b.yaml", "root": "UUID=x"}
