"""Rules that all services of an environment keep together: their names, ports and order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctui.errors import InvalidInput
from ctui.sandbox.services import Service, refuse_shared_ports
from ctui.text import one_line

MOST = 16
"""Services of one environment."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
_TAKEN = {"localhost", "ip6-localhost", "ip6-loopback", "broadcasthost"}


def check_name(name: str, where: str) -> None:
    """Refuse what cannot be the name of a service.

    A name with a dot could be that of a host elsewhere, to which a task sends what is secret.

    Raises:
        InvalidInput: with where it stands.
    """
    if name in _TAKEN or name.isdigit() or not _NAME.fullmatch(name):
        shown = one_line(name, 60)
        why = "is the sandbox itself" if name in _TAKEN else "can be no name of a service"
        raise InvalidInput(
            f"{where}: {shown!r} {why}",
            hint="a name has small letters, digits, - and _, such as db; at most 40 of them",
        )


def checked_services(services: Sequence[Service], file: str) -> tuple[Service, ...]:
    """Return the services, each behind those that it waits for.

    Raises:
        InvalidInput: there are too many, two listen on one port, or they wait in a circle.
    """
    if len(services) > MOST:
        raise InvalidInput(f"{file}: has more than {MOST} services", hint="leave some out")
    refuse_shared_ports({one.name: (one.port,) for one in services if one.port}, file)
    return _in_order(services, file)


def _in_order(services: Sequence[Service], file: str) -> tuple[Service, ...]:
    known = {one.name for one in services}
    done: dict[str, Service] = {}
    left = list(services)
    while left:
        ready = [one for one in left if all(a in done or a not in known for a in one.after)]
        if not ready:
            names = one_line(", ".join(one.name for one in left), 120)
            raise InvalidInput(
                f"{file}: services wait for each other in a circle: {names}",
                hint="take one of them out of depends_on",
            )
        done.update((one.name, one) for one in ready)
        left = [one for one in left if one.name not in done]
    return tuple(done.values())
