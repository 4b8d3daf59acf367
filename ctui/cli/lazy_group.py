"""Group of commands that loads each only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Group that has commands in other modules, beside those that are added to it."""

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **options: Any) -> None:
        """Begin without loading anything.

        Args:
            args: as click's.
            elsewhere: name of a command -> `module:attribute`.
            options: as click's.
        """
        super().__init__(*args, **options)
        self._elsewhere = elsewhere

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self._elsewhere})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        place = self._elsewhere.get(name)
        if place is None:
            return super().get_command(context, name)
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None
