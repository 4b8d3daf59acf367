"""Asks of tasks, and the answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ctui.errors import NotFound
from ctui.tasks.calls import AnswerAsk
from ctui.tasks.model import Answer, AskState
from ctui.web import shapes
from ctui.web.endpoint import Endpoint, body_of
from ctui.web.failure import as_json
from ctui.web.service import Service
from ctui.web.views import ask_view

_BY = "http"


async def inbox(service: Service, _request: Request) -> Response:
    """List what all tasks ask, oldest first."""
    return as_json(_pending(service, None))


async def of_task(service: Service, request: Request) -> Response:
    """List what one task asks, oldest first."""
    task = service.store.tasks.get(request.path_params["task_id"])
    return as_json(_pending(service, task.id))


async def answer(service: Service, request: Request) -> Response:
    """Answer one ask. The first answer counts, whichever front end gives it: later ones get 409."""
    given = await body_of(request, shapes.AskAnswer)
    task = service.store.tasks.get(request.path_params["task_id"])
    ask = service.store.asks.get(given.ask_id)
    if ask.task != task.id:
        raise NotFound(f"ask {ask.id} is not one of {task.id}", hint="GET …/asks lists them")
    words = Answer(
        given.decision,
        message=given.message,
        answers=given.answers,
        text=given.text,
        content=given.content,
        by=_BY,
    )
    return as_json(ask_view(await service.call(AnswerAsk(ask.id, words))))


def _pending(service: Service, task: str | None) -> shapes.AskList:
    return shapes.AskList(
        [ask_view(ask) for ask in service.store.asks.list(AskState.PENDING, task=task)]
    )


ENDPOINTS = (
    Endpoint("GET", "/asks", inbox, shapes.AskList),
    Endpoint("GET", "/tasks/{task_id}/asks", of_task, shapes.AskList, errors=(404,)),
    Endpoint(
        "POST",
        "/tasks/{task_id}/asks",
        answer,
        shapes.AskView,
        takes=shapes.AskAnswer,
        errors=(404, 409, 413),
    ),
)
