# SPDX-License-Identifier: Apache-2.0
"""The fields of AI providers: what a request may say, and what is returned."""

from __future__ import annotations

import dataclasses
import re

from pextra.kinds.common import DESCRIPTION, NAME, ORGANIZATION, within
from pextra.model.errors import InputError
from pextra.model.fields import Field
from pextra.model.returned import Returned

TYPES = (
    "openai", "anthropic", "google", "xai", "mistral", "deepinfra", "deepseek", "cerebras", "groq",
    "perplexity", "cohere", "ollama", "lmstudio",
)  # fmt: skip
"""The types; what each is stands in ``types``, which is loaded where one is looked at."""
_KEY = r"[!-~]{1,4096}"


def _base_url(value: object) -> str:
    from pextra.kinds.ai_provider.types import parse_base_url

    return parse_base_url(value)


def _key(value: object) -> str:
    """A key as a header can carry it."""
    text = str(value).strip()
    if re.fullmatch(_KEY, text) is None:
        raise InputError("a key has 1 to 4096 printable ASCII characters, and no spaces")
    return text


def _model(value: object) -> str:
    text = str(value).strip()
    if not 1 <= len(text) <= 256 or not text.isprintable():
        raise InputError("the name of a model has 1 to 256 printable characters")
    return text


FIELDS = (
    dataclasses.replace(
        NAME,
        doc=("Name of the provider, unique in the organization.", *NAME.doc),
        returned=Returned("Name of the provider.", sample="assistant"),
    ),
    ORGANIZATION,
    DESCRIPTION,
    Field(
        "type",
        choices=TYPES,
        required=True,
        doc=(
            "Whose interface it has. V(ollama) and V(lmstudio) are hosted by yourself, the others"
            " by their makers.",
            "For any other service with the interface of OpenAI, take V(openai) and give"
            " O(base_url).",
        ),
        returned=Returned("Whose interface it has.", sample="openai"),
    ),
    Field(
        "base_url",
        nullable=True,
        parse=_base_url,
        doc=(
            "Where the provider's interface is, such as C(https://llm.example.com/v1). Required for"
            " V(ollama) and V(lmstudio); the other types have one of their own.",
            "It begins with C(https). C(http) is possible to a private or loopback address and to"
            " names that are not on the internet: C(localhost), names without dots, and those that"
            " end with C(.local), C(.lan), C(.internal), C(.home.arpa) or C(.localhost).",
        ),
        returned=Returned(
            "Where its interface is, V(null) where its type says it.",
            sample="https://llm.example.com/v1",
        ),
    ),
    Field(
        "api_key",
        secret=True,
        nullable=True,
        parse=_key,
        doc=(
            "The key that the provider gave you. It can be changed and cleared, and not be read"
            " again. Types that are hosted by their makers need one, unless O(base_url) leads"
            " elsewhere.",
        ),
    ),
    Field(
        "model",
        nullable=True,
        parse=_model,
        doc=("Name of the model that is used unless something else is asked for.",),
        returned=Returned("The model that is used, V(null) without one.", sample="gpt-5-mini"),
    ),
    Field(
        "enabled",
        "bool",
        default=True,
        doc=("Whether the provider is used.",),
        returned=Returned("Whether it is used.", "bool", sample=True),
    ),
)

STEERING = (
    Field(
        "test",
        "bool",
        default=False,
        doc=(
            "Ask the provider for the list of its models before anything is changed, in check mode"
            " too. The task fails if it does not answer, refuses the key, or does not have"
            " O(model).",
            "The node asks, with the options of this task. The providers of the types"
            " V(deepinfra) and V(perplexity) list their models without looking at the key.",
        ),
    ),
    Field(
        "timeout",
        "int",
        default=20,
        parse=within(1, 300, "seconds"),
        unit="seconds",
        doc=("How long O(test) may take.",),
    ),
)
