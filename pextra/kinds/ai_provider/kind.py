# SPDX-License-Identifier: Apache-2.0
"""AI providers: what the organization's assistant asks. Their keys are shown nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pextra.engine.kind import Kind
from pextra.engine.world import World
from pextra.host.machine import Host
from pextra.kinds import shared
from pextra.kinds.ai_provider.fields import FIELDS, STEERING
from pextra.model import kinds
from pextra.model.errors import ConflictError, HostError, InputError
from pextra.model.request import Request
from pextra.model.spec import KindSpec
from pextra.model.values import Document

if TYPE_CHECKING:
    from pextra.model.rows import AiProviderRow


class AiProvider(Kind["AiProviderRow", None]):
    """A service with language models."""

    spec = KindSpec(
        name=kinds.AI_PROVIDER,
        table="ai_providers",
        prefix="orgai",
        fields=FIELDS,
        options=STEERING,
        scope=("organization_id",),
        rank=53,
    )

    def resolve(self, request: Request, world: World) -> dict[str, str | None]:
        """The organization."""
        return dict(shared.organization_of(request, super().resolve(request, world), world))

    def draft(
        self, request: Request, current: AiProviderRow | None, row: AiProviderRow, world: World
    ) -> None:
        """See that it can be reached, as far as that can be known without asking it."""
        if row["type"] is None or row["base_url"]:
            return
        from pextra.kinds.ai_provider.types import TYPES

        if TYPES[row["type"]].base_url is None:
            raise InputError(
                f"base_url must be given for the type {row['type']}",
                resource=request.label,
                hint="Give the address of your server, such as http://192.168.7.20:11434",
            )
        if not row["api_key"]:
            raise InputError(
                f"api_key must be given for the type {row['type']}", resource=request.label
            )

    def retire(self, request: Request, current: AiProviderRow, world: World) -> None:
        """Say so where it is the last one."""
        organization = world.row(kinds.ORGANIZATION, current["organization_id"])
        others = world.some(kinds.AI_PROVIDER, {"organization_id": organization["id"]}, 2)
        if all(other["id"] == current["id"] for other in others):
            world.warn(
                f"{request.label} is the last AI provider of the organization"
                f" {organization['name']}, which has no AI features without one"
            )

    def probe(self, request: Request, row: AiProviderRow, host: Host) -> Document:
        """Ask it for its models."""
        if not request.options.get("test"):
            return {}
        from pextra.kinds.ai_provider.types import TYPES

        key = host.keyring.opened(kinds.AI_PROVIDER, row, self.spec.encrypted)["api_key"]
        models = asked(row, key, request.options["timeout"], request.label)
        if row["model"] and not _has(models, row["model"]):
            raise ConflictError(
                f"the provider has no model {row['model']!r}",
                resource=request.label,
                hint=f"It has: {shared.named(models)}" if models else "It has none",
            )
        url = TYPES[row["type"]].url(row["base_url"])
        return {"test": {"url": url, "models": models}}

    def present(self, row: AiProviderRow, world: World) -> Document:
        """The provider, and whether it has a key."""
        public = super().present(row, world)
        return {**public, "has_api_key": bool(row["api_key"]), "test": None}


def asked(row: AiProviderRow, key: str | None, seconds: float, resource: str) -> list[str]:
    """The names of a provider's models, as it lists them, sorted.

    Args:
        row: The provider.
        key: Its key, decrypted.
        seconds: How long it may take to answer.
        resource: What messages call it.

    Raises:
        HostError: It does not say.
    """
    from pextra.host import web
    from pextra.kinds.ai_provider.types import TYPES, is_private_address

    type = TYPES[row["type"]]
    url = type.url(row["base_url"])
    try:
        answer = web.get_json(url, type.request_headers(key), seconds, is_private_address)
        return type.models(answer)
    except web.StatusError as error:
        said, hint = error.message, f"The list of models was asked for at {url}"
        if error.status in (401, 403):
            said, hint = f"the provider refuses the key: {said}", "Give another api_key"
        raise HostError(said, resource=resource, hint=hint) from None
    except HostError as error:
        raise HostError(error.message, resource=resource, hint=error.hint) from None
    except ValueError as error:
        raise HostError(
            f"the answer is no list of models: {error}",
            resource=resource,
            hint=f"It was asked for at {url}; is the type right?",
        ) from None


def _has(models: list[str], model: str) -> bool:
    """Whether a model is listed; Ollama lists them with a tag, which is latest if left out."""
    return model in models or f"{model}:latest" in models
