"""Kinds of errors, grouped by what the caller does next.

    CtuiError                 one line that says what is wrong, and a hint that says what to do
    ├── InvalidInput          the person mends what they wrote
    ├── NotFound              the person names another thing
    ├── Conflict              something changed or exists already: look again, then decide
    ├── Refused               a rule of ctui forbids it, and the message says which
    │   ├── ConsentRequired   the person has not said yes to this content
    │   └── StoreDamaged      what is in the store, or is missing there, cannot be read
    ├── Unavailable           a part is missing (engine, image, driver): mend it and try again
    │   ├── LoginRequired     no credential, or one that was rejected
    │   └── StoreUnavailable  nothing was written: the same again may work later
    │       └── StoreLocked   another program holds the store
    └── ExternalFailure       git, the engine or the CLI failed; carries what it said

Foreign exceptions (`OSError`, docker, pygit2) are translated once, where the foreign call is made.
"""

from __future__ import annotations

from collections.abc import Sequence


class CtuiError(Exception):
    """Error for a person to read: shown as `message`, then `hint`, never as a traceback."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def one_line(self) -> str:
        """Return message and hint as one sentence: `what is wrong (what to do)`."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidInput(CtuiError):
    """Input that cannot be used as it is."""


class NotFound(CtuiError):
    """Name of something that does not exist."""


class Conflict(CtuiError):
    """State that differs from what the caller expected: it exists already, or changed meanwhile."""


class Refused(CtuiError):
    """Action that a rule forbids which protects the person's work or machine."""


class ConsentRequired(Refused):
    """Consent that is missing: a repository brings something that would be built and run."""


class Unavailable(CtuiError):
    """Part that ctui needs and that does not answer."""


class RunnerUnavailable(Unavailable):
    """The engine that has the sandboxes does not answer now; the same call may succeed later."""


class LoginRequired(Unavailable):
    """Credential that is missing or was rejected."""


class StoreUnavailable(Unavailable):
    """The store cannot be read or written now, and nothing of it was changed."""


class StoreLocked(StoreUnavailable):
    """Another program holds the store's lock."""


class StoreDamaged(Refused):
    """The store, or a record in it, cannot be read."""


class ExternalFailure(CtuiError):
    """Failure of another program.

    Attributes:
        argv: the command or call, without secrets.
        exit_code: its exit status, or None where there is none.
        stderr: the end of what it said, at most a few kilobytes.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        argv: Sequence[str] = (),
        exit_code: int | None = None,
        stderr: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.argv = tuple(argv)
        self.exit_code = exit_code
        self.stderr = stderr


def error_kinds() -> dict[str, type[CtuiError]]:
    """Return each kind by class name, so that an error keeps it across the driver's socket."""
    kinds: dict[str, type[CtuiError]] = {}
    pending: list[type[CtuiError]] = [CtuiError]
    while pending:
        kind = pending.pop()
        kinds[kind.__name__] = kind
        pending.extend(kind.__subclasses__())
    return kinds
