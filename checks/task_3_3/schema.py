"""What `/openapi.json` tells of the features, in any of the shapes that pydantic writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from checks.support.http import expect, json_body
from ml_api_lab.check import Hinted

if TYPE_CHECKING:
    import httpx

_MAX_PARTS = 1_000
"""How many parts a schema may be composed of."""

_RELEVANT_TYPES = ("number", "integer", "object", None)


async def body_schema(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    """Return what `/openapi.json` says of each field in the body of a prediction's request."""
    response = await client.get("/openapi.json")
    try:
        expect(response, 200)
    except AssertionError as error:
        if response.status_code != 404:
            raise
        # FastAPI makes this page, and no decorator.
        raise Hinted(
            str(error), "What is FastAPI(...) given beside its title? That page is its own."
        ) from None
    document = json_body(response)
    paths = document.get("paths", {})
    operations = [
        paths[path]["post"]
        # The one for all models comes before others that the application may have.
        for path in sorted(paths, key=lambda each: not each.startswith("/predict/{"))
        if path.startswith("/predict/") and "post" in paths[path]
    ]
    if not operations:
        raise Hinted(
            "/openapi.json shows no POST /predict/{model_name}; right is that it does.",
            "What do you tell your decorator beside the path? /docs shows every endpoint that is "
            "not told to be left out.",
        )
    content = _resolve(operations[0].get("requestBody", {}), document).get("content", {})
    schema = _resolve(content.get("application/json", {}).get("schema", {}), document)
    fields = schema.get("properties", {})
    return {name: _resolve(each, document) for name, each in fields.items()}


def _resolve(
    schema: dict[str, Any],
    document: dict[str, Any],
    depth: int = 10,
    left: Iterator[int] | None = None,
) -> dict[str, Any]:
    """Return a schema with all that it refers to or is composed of in one flat object."""
    left = iter(range(_MAX_PARTS)) if left is None else left
    if not depth or next(left, None) is None:  # it refers to itself, once or many times
        return schema
    flat: dict[str, Any] = {}
    parts = list(schema.get("allOf", ()))
    if "$ref" in schema:
        parts.append(_follow(schema["$ref"], document))
    for part in parts:
        flat |= _resolve(part, document, depth - 1, left)
    for choice in ("anyOf", "oneOf"):
        options = [_resolve(each, document, depth - 1, left) for each in schema.get(choice, ())]
        relevant = [each for each in options if each.get("type") in _RELEVANT_TYPES]
        if relevant:
            # What holds for a number or for a body, whichever of them it is.
            flat |= {
                key: value
                for key, value in relevant[0].items()
                if all(key in each and each[key] == value for each in relevant)
            }
    return flat | schema


def _follow(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name, {})
    return found
