# SPDX-License-Identifier: Apache-2.0
"""AI providers: addresses, keys, and asking a server on this machine as each type is asked."""

from __future__ import annotations

import dataclasses
import http.server
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pextra.host import web
from pextra.kinds.ai_provider import fields, kind
from pextra.kinds.ai_provider.types import TYPES, is_private, is_private_address, parse_base_url
from pextra.kinds.registry import KINDS
from pextra.model.errors import AggregateError, HostError, InputError, PextraError, each
from pextra.model.request import Request
from pextra.tests.test_planning import BASE, Cloud, machine

KEY = "sk-planted-0123456789"
GUIDE = (
    "openai", "anthropic", "google", "xai", "mistral", "deepinfra", "deepseek", "cerebras", "groq",
    "perplexity", "cohere", "ollama", "lmstudio",
)  # fmt: skip
"""The types of the platform's user guide."""


@dataclasses.dataclass
class Double:
    """A server of a provider.

    Attributes:
        port: Where it listens on 127.0.0.1.
        answer: What it answers: status, headers, body.
        asked: The paths and headers of the questions.
    """

    port: int
    answer: tuple[int, dict[str, str], bytes]
    asked: list[tuple[str, dict[str, str]]]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


def serving(context: ssl.SSLContext | None = None) -> Iterator[Double]:
    """A server that runs until the test ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            double.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            status, headers, body = double.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    double = Double(server.server_address[1], (200, {}, b'{"data": []}'), [])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield double
    server.shutdown()
    server.server_close()
    thread.join()


double = pytest.fixture(serving, name="double")


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a server that sends a letter of its answer every now and then, for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        connection, _peer = listener.accept()
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    thread.join()
    listener.close()


def provider(type: str = "openai", **columns: Any) -> Any:
    """A row of a provider."""
    return {
        "id": "orgai-1", "organization_id": "org-1", "name": "p", "type": type, "base_url": None,
        "api_key": None, "model": None, **columns,
    }  # fmt: skip


def asked(row: Any, seconds: float, resource: str) -> list[str]:
    """The models of a provider, whose key is in the clear here."""
    return kind.asked(row, row["api_key"], seconds, resource)


# Addresses


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("https://llm.example.com/v1/", "https://llm.example.com/v1"),
        ("HTTPS://LLM.Example.com:8443", "https://llm.example.com:8443"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://[::1]:1234/v1", "http://[::1]:1234/v1"),
        ("http://10.1.2.3", "http://10.1.2.3"),
        ("http://[fd00::7]/", "http://[fd00::7]"),
        ("http://localhost:1234/v1", "http://localhost:1234/v1"),
        ("http://ollama:11434", "http://ollama:11434"),
        ("http://gpu.internal", "http://gpu.internal"),
    ],
)
def test_an_address_is_brought_to_one_form(given: str, found: str) -> None:
    assert parse_base_url(given) == found
    assert parse_base_url(found) == found


@pytest.mark.parametrize(
    "given",
    [
        "", "llm.example.com", "ftp://a", "https://", "https://user:secret@a.example", "file:///etc",
        "https://a.example/?key=secret", "https://a.example/#x", "https://a.example:99999",
        "https://a.example:0", "https://a.example/a b", "https://a.example/../x", "https://a\r\nb",
        "http://8.8.8.8", "http://llm.example.com", "http://169.254.169.254", "http://0.0.0.0",
        "http://[fe80::1]", "http://[::ffff:8.8.8.8]", "http://2130706433", "http://0x7f.1",
        "http://127.0.0.1.example.com", "https://" + "a" * 1100, "http://[::1%eth0]",
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_in_the_open_is_refused(given: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_base_url(given)
    assert "secret" not in str(caught.value)


def test_what_is_private_is_known_by_the_address() -> None:
    assert is_private("192.168.1.1")
    assert not is_private("192.169.1.1")
    assert is_private_address("::ffff:10.0.0.1")
    assert not is_private_address("::ffff:8.8.8.8")


# Types


def test_the_types_are_those_of_the_guide_and_the_self_hosted_need_an_address() -> None:
    assert tuple(TYPES) == fields.TYPES == GUIDE
    assert [name for name, type in TYPES.items() if type.base_url is None] == ["ollama", "lmstudio"]
    for type in TYPES.values():
        assert type.base_url is None or parse_base_url(type.base_url) == type.base_url


URLS = {
    "openai": "https://api.openai.com/v1/models",
    "anthropic": "https://api.anthropic.com/v1/models?limit=1000",
    "google": "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000",
    "xai": "https://api.x.ai/v1/models",
    "mistral": "https://api.mistral.ai/v1/models",
    "deepinfra": "https://api.deepinfra.com/v1/openai/models",
    "deepseek": "https://api.deepseek.com/models",
    "cerebras": "https://api.cerebras.ai/v1/models",
    "groq": "https://api.groq.com/openai/v1/models",
    "perplexity": "https://api.perplexity.ai/v1/models",
    "cohere": "https://api.cohere.com/v1/models?page_size=1000",
}
"""As the providers' references have them."""


@pytest.mark.parametrize("type", URLS)
def test_the_list_of_models_is_where_the_provider_has_it(type: str) -> None:
    assert TYPES[type].url(None) == URLS[type]


@pytest.mark.parametrize(
    ("type", "base", "path"),
    [
        ("ollama", "", "/api/tags"), ("ollama", "/api", "/api/tags"),
        ("ollama", "/v1", "/api/tags"),
        ("lmstudio", "", "/v1/models"), ("lmstudio", "/v1", "/v1/models"),
        ("openai", "/v1", "/v1/models"), ("openai", "/openai", "/openai/models"),
        ("anthropic", "/v1", "/v1/models?limit=1000"),
        ("google", "/v1beta", "/v1beta/models?pageSize=1000"),
        ("cohere", "", "/v1/models?page_size=1000"),
    ],
)  # fmt: skip
def test_each_type_asks_its_server_and_reads_the_answer(
    double: Double, type: str, base: str, path: str
) -> None:
    answers = {
        "ollama": {"models": [{"name": "b:latest"}, {"name": "a:8b", "size": 1}]},
        "google": {"models": [{"name": "models/b:latest"}, {"name": "models/a:8b"}]},
        "cohere": {"models": [{"name": "b:latest"}, {"name": "a:8b"}]},
    }
    usual = {"object": "list", "data": [{"id": "b:latest"}, {"id": "a:8b"}, {"id": "a:8b"}]}
    double.answer = 200, {}, json.dumps(answers.get(type, usual)).encode()
    row = provider(type, base_url=double.url + base, api_key=KEY)
    assert asked(row, 10, "p") == ["a:8b", "b:latest"]
    ((there, headers),) = double.asked
    assert there == path
    header = {"anthropic": "x-api-key", "google": "x-goog-api-key"}.get(type, "authorization")
    assert headers[header] == (KEY if header != "authorization" else f"Bearer {KEY}")
    assert KEY not in there
    assert ("anthropic-version" in headers) is (type == "anthropic")


def test_without_a_key_none_is_sent(double: Double) -> None:
    asked(provider(base_url=double.url), 10, "p")
    assert "authorization" not in double.asked[0][1]


# What goes wrong


def failure(double: Double, **columns: Any) -> PextraError:
    """The error that asking ends with."""
    with pytest.raises(HostError) as caught:
        asked(provider(base_url=double.url, api_key=KEY, **columns), 10, 'ai_provider "p"')
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_and_not_shown(double: Double, status: int) -> None:
    double.answer = status, {}, json.dumps({"error": f"no such key: {KEY}"}).encode()
    error = failure(double)
    assert error.message.startswith("the provider refuses the key: ")
    assert error.hint == "Give another api_key"


@pytest.mark.parametrize("status", [404, 429, 500])
def test_other_statuses_are_told_with_the_address(double: Double, status: int) -> None:
    double.answer = status, {}, b""
    error = failure(double)
    assert str(status) in error.message
    assert error.hint is not None
    assert f"{double.url}/models" in error.hint


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[" * 100_000, b"\xff\xfe", b"[]", b'{"data": 1}']
)
def test_an_answer_that_is_no_list_is_told(double: Double, body: bytes) -> None:
    double.answer = 200, {}, body
    assert "is no" in failure(double).message


def test_names_that_are_none_or_too_long_do_no_harm(double: Double) -> None:
    items = [{"id": 7}, {"id": None}, "x", {"id": "y" * 10_000}, {}, {"id": "ok"}]
    double.answer = 200, {}, json.dumps({"data": items}).encode()
    assert asked(provider(base_url=double.url), 10, "p") == ["ok", "y" * 256]


def test_an_answer_that_is_too_long_is_not_read(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST", 1000)
    double.answer = 200, {}, b" " * 2000
    assert "more than 1000 bytes" in failure(double).message


def test_a_key_does_not_follow_to_another_server(double: Double) -> None:
    others = serving()
    other = next(others)
    try:
        for place in (f"{other.url}/models", f"http://localhost:{double.port}/models"):
            double.answer = 302, {"Location": place}, b""
            assert "leads to another server" in failure(double).message
        assert other.asked == []
    finally:
        next(others, None)


def test_a_redirect_within_the_server_is_followed_and_not_for_ever(double: Double) -> None:
    double.answer = 302, {"Location": "/elsewhere"}, b""
    assert failure(double)
    assert 2 <= len(double.asked) <= 5
    assert double.asked[1][0] == "/elsewhere"


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_not_followed(double: Double, place: str) -> None:
    double.answer = 302, {"Location": place}, b""
    assert failure(double)


def test_a_server_that_is_not_there_is_told() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    with pytest.raises(HostError, match="cannot be reached: Connection refused"):
        asked(provider(base_url=url), 10, "p")


def test_a_server_that_answers_for_ever_is_left(dripping: str) -> None:
    with pytest.raises(HostError, match=r"has not answered within 0\.3 s"):
        asked(provider(base_url=dripping), 0.3, "p")


def test_http_is_spoken_to_private_addresses_alone(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name can lead anywhere: what counts is the address behind it."""
    with pytest.raises(HostError, match="is not in a private network"):
        web.get_json(f"{double.url}/models", {"Authorization": KEY}, 10, lambda _address: False)
    assert double.asked == []


def test_for_http_no_proxy_is_asked(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert asked(provider(base_url=double.url), 10, "p") == []


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Double, str]]:
    """A server with TLS and a certificate that nobody knows, and its certificate."""
    certificate, key = f"{tmp_path}/cert.pem", f"{tmp_path}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
         certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    servers = serving(context)
    yield next(servers), certificate
    next(servers, None)


def test_a_certificate_that_is_not_trusted_is_refused(secure: tuple[Double, str]) -> None:
    double, _certificate = secure
    with pytest.raises(HostError, match=r"the certificate of localhost:\d+ is not trusted"):
        asked(provider(base_url=f"https://localhost:{double.port}", api_key=KEY), 10, "p")
    assert double.asked == []


def test_a_certificate_of_another_name_is_refused(
    secure: tuple[Double, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    double, certificate = secure
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    assert asked(provider(base_url=f"https://localhost:{double.port}"), 10, "p") == []
    with pytest.raises(HostError, match="is not trusted"):
        asked(provider(base_url=f"https://127.0.0.1:{double.port}"), 10, "p")


# As a kind


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with an organization."""
    made = Cloud()
    made.apply(*BASE)
    return made


def entry(name: str = "p", **options: Any) -> dict[str, Any]:
    """An entry of a manifest."""
    return {"kind": "ai_provider", "name": name, **options}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "type must be given"),
        ({"type": "ollama"}, "base_url must be given for the type ollama"),
        ({"type": "lmstudio", "api_key": KEY}, "base_url must be given for the type lmstudio"),
        ({"type": "openai"}, "api_key must be given for the type openai"),
        ({"type": "openai", "api_key": f"{KEY}\r\nX: y"}, "a key has 1 to 4096"),
        ({"type": "openai", "api_key": KEY, "model": "a\nb"}, "printable"),
        ({"type": "pextra", "api_key": KEY}, "'pextra' is not possible"),
    ],
)
def test_what_cannot_work_is_refused(cloud: Cloud, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PextraError) as caught:
        cloud.plan(entry(**options))
    assert words in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_changed_key_is_a_change_and_neither_is_shown(cloud: Cloud) -> None:
    first = cloud.apply(entry(type="openai", api_key=KEY))
    assert not cloud.plan(entry(type="openai", api_key=KEY)).plan
    assert not cloud.plan(entry(model=None)).plan
    (step,) = cloud.plan(entry(api_key="another-key")).plan
    assert (step.before, step.after) == ({"api_key": "(secret)"}, {"api_key": "(another secret)"})
    assert KEY not in str([item.as_dict() for item in first.plan])
    shown = KINDS["ai_provider"].present(cloud.rows["ai_provider"][0], first.world)
    assert "api_key" not in shown
    assert shown["has_api_key"] is True


def test_removing_the_last_one_of_an_organization_warns(cloud: Cloud) -> None:
    local = {"type": "ollama", "base_url": "http://127.0.0.1:1"}
    cloud.apply(entry("one", **local), entry("two", **local))
    assert cloud.apply(entry("one", state="absent")).world.warnings == []
    (warning,) = cloud.plan(entry("two", state="absent")).world.warnings
    assert "the last AI provider of the organization org" in warning


def test_both_removed_at_once_warns_once(cloud: Cloud) -> None:
    local = {"type": "ollama", "base_url": "http://127.0.0.1:1"}
    cloud.apply(entry("one", **local), entry("two", **local))
    gone = cloud.plan(entry("one", state="absent"), entry("two", state="absent"))
    assert len(gone.world.warnings) == 1


def probe(row: Any, **options: Any) -> Any:
    """What trying a provider out comes to."""
    request = Request("ai_provider", "present", {"name": "p"}, {"timeout": 10, **options})
    return KINDS["ai_provider"].probe(request, row, machine())


def test_nothing_is_asked_unless_that_is_wanted(double: Double) -> None:
    assert probe(provider(base_url=double.url), test=False) == {}
    assert double.asked == []


@pytest.mark.parametrize("model", [None, "llama3", "llama3:latest"])
def test_a_model_that_is_there_is_found_also_without_its_tag(
    double: Double, model: str | None
) -> None:
    double.answer = 200, {}, b'{"models": [{"name": "llama3:latest"}]}'
    found = probe(provider("ollama", base_url=double.url, model=model), test=True)
    assert found == {"test": {"url": f"{double.url}/api/tags", "models": ["llama3:latest"]}}


def test_a_model_that_is_not_there_is_told_with_those_that_are(double: Double) -> None:
    double.answer = 200, {}, b'{"data": [{"id": "small"}]}'
    with pytest.raises(PextraError) as caught:
        probe(provider(base_url=double.url, model="large"), test=True)
    assert caught.value.message == "the provider has no model 'large'"
    assert caught.value.hint == "It has: small"
    assert [item.code for item in each(AggregateError([caught.value]))] == ["conflict"]
