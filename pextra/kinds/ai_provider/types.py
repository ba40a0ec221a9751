# SPDX-License-Identifier: Apache-2.0
"""The types of AI providers, and how each lists its models. Pure.

Sources: the platform's user guide, supported AI providers, for the types; for the lists, the
providers' own references: developers.openai.com (Models, List), docs.anthropic.com (List Models),
ai.google.dev (models.list), docs.x.ai, docs.mistral.ai, deepinfra.com/docs (OpenAI API),
api-docs.deepseek.com (Lists Models), inference-docs.cerebras.ai (Models), console.groq.com/docs,
docs.perplexity.ai (List Models), docs.cohere.com (List Models), Ollama's docs/api.md (List Local
Models), lmstudio.ai/docs (List Models).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pextra.model.errors import InputError

_LOCAL = (".localhost", ".local", ".internal", ".home.arpa", ".lan")
"""Endings of names that are not on the internet: RFC 6761, 6762, 8375, and what ICANN reserves."""
_PATH = re.compile(r"[A-Za-z0-9._~%/-]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Type:
    """A type of provider.

    Attributes:
        base_url: Where its interface is; None where only its user knows.
        path: What follows the base URL in the address of the list of models.
        key: The header that carries the key, with its value but for the key.
        headers: Further headers.
        items: The key of the list in the answer.
        name: The key of a model's name in the list.
        prefix: What may stand before a model's name there.
        ending: What a base URL ends with that the path follows, where it can be left out.
        other_endings: What it may end with instead, which is left out then.
    """

    base_url: str | None
    path: str = "/models"
    key: tuple[str, str] = ("Authorization", "Bearer ")
    headers: tuple[tuple[str, str], ...] = ()
    items: str = "data"
    name: str = "id"
    prefix: str = ""
    ending: str = ""
    other_endings: tuple[str, ...] = ()

    def url(self, base_url: str | None) -> str:
        """The address of the list of models.

        Args:
            base_url: What stands in place of the type's own; None for that.
        """
        base = base_url or self.base_url or ""
        for other in self.other_endings:
            base = base.removesuffix(other)
        if self.ending and not base.endswith(self.ending):
            base += self.ending
        return base + self.path

    def request_headers(self, key: str | None) -> dict[str, str]:
        """The headers with which the list is asked for."""
        known = {"Accept": "application/json", **dict(self.headers)}
        return {**known, self.key[0]: self.key[1] + key} if key else known

    def models(self, answer: object) -> list[str]:
        """The names of the models in an answer, sorted.

        Raises:
            ValueError: It is no such answer.
        """
        items = answer.get(self.items) if isinstance(answer, Mapping) else None
        if not isinstance(items, list):
            raise ValueError(f"it has no list {self.items!r}")
        names = (item.get(self.name) if isinstance(item, Mapping) else None for item in items)
        known = {name.removeprefix(self.prefix) for name in names if isinstance(name, str)}
        return sorted(name[:_LONGEST] for name in known)[:_MOST]


_LONGEST, _MOST = 256, 2000
"""Characters of a model's name, and models, that are returned at most."""

TYPES: Mapping[str, Type] = {
    "openai": Type("https://api.openai.com/v1"),
    "anthropic": Type(
        "https://api.anthropic.com/v1",
        "/models?limit=1000",
        key=("x-api-key", ""),
        headers=(("anthropic-version", "2023-06-01"),),
    ),
    "google": Type(
        "https://generativelanguage.googleapis.com/v1beta",
        "/models?pageSize=1000",
        key=("x-goog-api-key", ""),
        items="models",
        name="name",
        prefix="models/",
    ),
    "xai": Type("https://api.x.ai/v1"),
    "mistral": Type("https://api.mistral.ai/v1"),
    "deepinfra": Type("https://api.deepinfra.com/v1/openai"),
    "deepseek": Type("https://api.deepseek.com"),
    "cerebras": Type("https://api.cerebras.ai/v1"),
    "groq": Type("https://api.groq.com/openai/v1"),
    "perplexity": Type("https://api.perplexity.ai", "/v1/models"),
    "cohere": Type(
        "https://api.cohere.com", "/v1/models?page_size=1000", items="models", name="name"
    ),
    "ollama": Type(None, "/api/tags", items="models", name="name", other_endings=("/api", "/v1")),
    "lmstudio": Type(None, ending="/v1"),
}
"""The types by their names, in the order of the guide."""


def parse_base_url(value: object) -> str:
    """An address as providers have it: ``https``, or ``http`` to what is not on the internet.

    Raises:
        InputError: It is none.
    """
    import urllib.parse

    text = str(value).strip()
    # What stands before a host may be a password: the text is not said in messages.
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError("it is not the address of a provider", hint=_SUCH) from None
    odd = len(text) > 1024 or not text.isprintable()
    if odd or parts.scheme not in ("https", "http") or not _is_host(host):
        raise InputError("it is not the address of a provider", hint=_SUCH)
    if "@" in parts.netloc or parts.query or parts.fragment or port == 0:
        raise InputError("an address has no user, no password, no query and no #", hint=_SUCH)
    if not _PATH.fullmatch(parts.path) or ".." in parts.path.split("/"):
        raise InputError("its path has characters that an address cannot have", hint=_SUCH)
    if parts.scheme == "http" and not is_private(host):
        raise InputError(
            f"{host} is not known to be in a private network, and http is read by others",
            hint="Use https. With http, give a private or loopback address, localhost, or a name"
            f" without dots or that ends with {', '.join(_LOCAL[:-1])} or {_LOCAL[-1]}",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


_SUCH = "One is such as https://llm.example.com/v1 or http://192.168.7.20:11434"


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # A name whose last part is digits is an address to some programs, and not to others.
        last = text.rstrip(".").rpartition(".")[2]
        return _NAME.fullmatch(text) is not None and not last[:1].isdigit()
    return "%" not in text


def is_private(host: str) -> bool:
    """Whether a host cannot be on the internet, as far as its address or name says."""
    try:
        return is_private_address(host)
    except ValueError:
        return "." not in host or host == "localhost" or host.endswith(_LOCAL)


def is_private_address(text: str) -> bool:
    """Whether an address is of a private network or of this machine, and not of the link alone.

    Raises:
        ValueError: It is no address.
    """
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return (address.is_private or address.is_loopback) and not (
        address.is_link_local or address.is_unspecified or address.is_multicast
    )
