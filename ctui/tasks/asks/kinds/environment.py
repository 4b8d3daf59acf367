"""Environments: a repository brings what its tasks are built in, and nobody has consented yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import msgspec

from ctui.claude.protocol import fields
from ctui.tasks.asks.kind import Decision, Kind, Origin, details_of, given_of, new_ask
from ctui.tasks.asks.lines import INDENT, text_lines
from ctui.tasks.model import Answer, Ask, AskKind
from ctui.text import sanitise


class EnvironmentDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content that is asked about."""

    digest: str = ""


class Environment(Kind):
    """Consent to an environment; it comes from the driver, and its answer goes to no CLI."""

    kind = AskKind.ENVIRONMENT
    words: ClassVar[Mapping[Decision, str]] = {
        "allow": "build and run it, now and for every task that starts with exactly this",
        "deny": "do not, and end the task",
    }
    goes_to_cli = False
    explains = False

    def lines(self, ask: Ask) -> Iterator[str]:
        yield "? Its environment is to be built, with your consent:"
        yield from (INDENT + line for line in text_lines(fields.text(given_of(ask), "text")))

    def decisions(self, _ask: Ask) -> tuple[Decision, ...]:
        return "allow", "deny"

    def reply(self, _ask: Ask, _answer: Answer) -> bytes:
        return b""


KIND = Environment()


def environment_ask(
    request: str, origin: Origin, *, name: str, file: str, text: str, digest: str
) -> Ask:
    """Return the ask for the consent to an environment.

    Args:
        request: an id of its own.
        origin: whose; of no run.
        name: of the repository.
        file: of the definition.
        text: all that is built and run.
        digest: of that.
    """
    return new_ask(
        KIND.kind,
        request,
        origin,
        tool="",
        title=f"build the environment of {name} ({file})",
        given={"text": sanitise(text)},
        details=EnvironmentDetails(digest),
    )


def digest_of(ask: Ask) -> str:
    """Return the hash of what was asked about."""
    return details_of(ask, EnvironmentDetails).digest
