"""The OpenAPI document, from the routes themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from api.app import api_without_services

if TYPE_CHECKING:
    from collections.abc import Mapping


def openapi() -> Mapping[str, str]:
    """Return the OpenAPI document by its path."""
    document = api_without_services().openapi()
    return {"docs/reference/openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n"}
