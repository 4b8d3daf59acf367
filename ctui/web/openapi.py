"""The OpenAPI document, made from the endpoints and their structs: it cannot be out of date."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from ctui import __version__
from ctui.web import shapes
from ctui.web.endpoint import PREFIX, Endpoint

EVERYWHERE = (400, 401, 403, 421, 500, 503)

_MEANING = {
    400: "The request cannot be used as it is.",
    401: "The bearer token is missing or wrong.",
    403: "A rule of ctui forbids it, or the Origin is foreign.",
    404: "There is no such task or ask.",
    409: "It exists already, or somebody else was first.",
    413: "The body is too large.",
    421: "The Host is not one of this server's.",
    429: "Too many streams are open.",
    500: "Git, the engine or ctui itself failed.",
    503: "The engine or the driver does not answer.",
}
_PARAMETER = re.compile(r"\{(\w+)\}")


def document(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of these endpoints."""
    # No response has an update, but the stream of events does.
    kinds: list[type] = [shapes.Failure, shapes.TaskUpdate]
    for endpoint in endpoints:
        kinds += [kind for kind in (endpoint.takes, endpoint.gives) if kind is not None]
    unique = list(dict.fromkeys(kinds))
    found, components = msgspec.json.schema_components(
        unique, ref_template="#/components/schemas/{name}"
    )
    schemas = dict(zip(unique, found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        methods = paths.setdefault(PREFIX + endpoint.path, {})
        methods[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ctui",
            "version": __version__,
            "description": "Claude Code tasks, each in its own worktree and sealed container.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(endpoint: Endpoint, schemas: dict[type, Any]) -> dict[str, Any]:
    summary, _, more = inspect.cleandoc(endpoint.handler.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": " ".join(summary.split()),
        "parameters": [*_path_parameters(endpoint), *_parameters(endpoint)],
        "responses": {
            str(endpoint.status): _answer(endpoint, schemas),
            **{
                str(status): _content(_MEANING[status], "application/json", schemas[shapes.Failure])
                for status in sorted({*EVERYWHERE, *endpoint.errors} - {endpoint.status})
            },
        },
    }
    if more:
        operation["description"] = more
    if endpoint.takes is not None:
        content = {"application/json": {"schema": schemas[endpoint.takes]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(endpoint: Endpoint, schemas: dict[type, Any]) -> dict[str, Any]:
    schema = schemas[endpoint.gives] if endpoint.gives is not None else {"type": "string"}
    return _content("As said.", endpoint.media, schema)


def _content(meaning: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {media_type: {"schema": schema}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(endpoint.path)
    ]


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": parameter.place,
            "required": False,
            "description": parameter.about,
            "schema": parameter.schema,
        }
        for parameter in endpoint.parameters
    ]
