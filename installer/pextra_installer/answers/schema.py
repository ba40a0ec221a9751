"""The JSON schema of answer files, made from the plan's own types."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from pextra_installer import check

PUBLISHED = pathlib.Path(__file__).parent.parent / "data" / "answers-v1.schema.json"


def schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12). What only the installer checks it leaves open."""
    made = check.adapter().json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Answers of pextra-installer, version 1",
    }


def schema_text() -> str:
    """The schema as the published file has it."""
    return json.dumps(schema(), indent=2, sort_keys=True) + "\n"
