"""Structs that driver and gateway share: what a run may reach, and what they tell each other.

The driver pushes a whole table (`Serve`) whenever anything of it changed, and at each new
connection; the gateway takes from it what is different. So either may be killed at any moment, and
nothing that one of them remembers of the other can be wrong.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.policy import Policy
from ctui.gateway.ssh.keys import SshKey

PROTOCOL = 1
"""Version of the messages; it grows when an older side would misread one."""

LoginKind = Literal["api-key", "bearer", "oauth", "bedrock", "vertex"]
"""`bearer` is a gateway's token; `bedrock`, `vertex` are bearers in the API of those services."""

API_SOCKET = "api.sock"
EGRESS_SOCKET = "egress.sock"
PORTS_SOCKET = "ports.sock"
"""Names in an access's folder."""


class Login(msgspec.Struct, frozen=True):
    """A credential for the model, and where it counts. No way of showing it shows a secret.

    Attributes:
        name: what the books call it, such as "api-key from the keyring"; never a part of it.
        kind: how it is sent.
        secret: the key or token; "" where the headers are all of it.
        base_url: of the API, with or without a path; "" is the usual one of its kind, which
            Bedrock and Vertex do not have.
        headers: further ones that are sent with each call (ANTHROPIC_CUSTOM_HEADERS).
        place: part of every path at Vertex, "projects/P/locations/L"; no other one is asked.
        region: of AWS, where the secret is keys by which each request is signed (`api/signing`).
        models: that may be asked for at Bedrock beside Claude's own by their usual names.
        spare: it counts only where the gateway knows no other of its name. A driver that took a
            run over cannot know the login that came with a command to the one before.
    """

    name: str
    kind: LoginKind
    secret: str
    base_url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    place: str = ""
    region: str = ""
    models: tuple[str, ...] = ()
    spare: bool = False

    def __repr__(self) -> str:
        return f"Login({self.name!r}, {self.kind})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        # The inherited one would put the secret into a formatted traceback.
        return [("name", self.name), ("kind", self.kind)]

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that tell one login from another and may be sent and logged."""
        digest = hashlib.sha256(b"ctui gateway login\0" + msgspec.json.encode(self))
        return digest.hexdigest()[:16]


class Access(msgspec.Struct, frozen=True):
    """All that one run may reach. Its sockets live as long as it is in the table.

    Attributes:
        run: "<task id>/<number>", which is its identity.
        task: whose budget and rows in the books it counts to.
        label: DNS label of the task, in the addresses of its ports.
        folder: of its sockets, 0755 in one of 0700, made by the driver and mounted read-only into
            the sandbox.
        egress: what it may reach beside the model.
        login: name of the login of its calls to the model; "" while there is none.
        budget: dollars that the task may spend in all of its runs.
        placeholder: what the run has in a credential's place: a request that brings another one is
            refused. "" takes none as well as any.
        credentials: for other services, whose hosts it reaches by opened tunnels.
        keys: by which it may sign in over ssh.
        ca_file: certificates that these hosts may have beside those that the machine trusts.
    """

    run: str
    task: str
    label: str
    folder: str
    egress: Policy
    login: str = ""
    budget: float | None = None
    placeholder: str = ""
    credentials: tuple[Credential, ...] = ()
    keys: tuple[SshKey, ...] = ()
    ca_file: str = ""

    def known_from(self, earlier: Access) -> Access:
        """Return it with what the same run had, where a driver that came later cannot know it.

        A rule that was written since the run began is none of its own.
        """
        before = earlier.credentials
        every = (one.known_from(before) for one in self.credentials)
        known = tuple(one for one in every if one.value or one.problem or one in before)
        keys = tuple(one.known_from(earlier.keys) for one in self.keys)
        return msgspec.structs.replace(self, credentials=known, keys=keys)


class Serve(msgspec.Struct, frozen=True, tag="serve"):
    """The whole table: what is not in it any more is closed at once.

    Attributes:
        number: comes back in `Served`; it grows.
        accesses: one for each run that lives.
        logins: that they name.
        gate: port of 127.0.0.1 at which ports of tasks are shown; 0 shows none.
        elsewhere: domain, maybe with a port, below which browsers on other machines reach them.
    """

    number: int = 0
    accesses: tuple[Access, ...] = ()
    logins: tuple[Login, ...] = ()
    gate: int = 0
    elsewhere: str = ""


class Decide(msgspec.Struct, frozen=True, tag="decide"):
    """Answer to a `HostWanted`: one whose connection has gone meanwhile is nothing."""

    id: str
    allow: bool


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """End, as soon as the calls that are under way are over or half a minute has passed."""


class OpenPort(msgspec.Struct, frozen=True, tag="open-port"):
    """Ask for an address of a task's port that a browser can open once, within a minute.

    Attributes:
        id: comes back in the answer.
        label: of the task.
        port: of the task.
        elsewhere: the browser may be on another machine.
    """

    id: int
    label: str
    port: int
    elsewhere: bool = False


class ForwardPort(msgspec.Struct, frozen=True, tag="forward-port"):
    """Ask for a local port that leads to a task's, for as long as the connection lasts.

    Attributes:
        id: comes back in the answer.
        label: of the task.
        port: of the task.
        local: of 127.0.0.1; 0 takes a free one.
    """

    id: int
    label: str
    port: int
    local: int = 0


ToGateway = Serve | Decide | Leave | OpenPort | ForwardPort


class Served(msgspec.Struct, frozen=True, tag="served"):
    """Answer to a `Serve`: everything is as that table says.

    Attributes:
        number: of the table.
        problems: accesses that could not be served, by run, and why; "" is the gate's.
    """

    number: int = 0
    problems: dict[str, str] = {}


class HostWanted(msgspec.Struct, frozen=True, tag="host-wanted"):
    """A connection waits for a decision; said again to each driver that connects meanwhile.

    Attributes:
        id: comes back in the answer.
        run: and `task`, whose connection it is.
        task: of the run.
        host: that it wants.
        port: of that host.
        program: that wants it, as it says.
        key: of ssh, by which it wants to sign in there; "" where it wants to reach the host.
    """

    id: str
    run: str
    task: str
    host: str
    port: int
    program: str = ""
    key: str = ""


class HostGone(msgspec.Struct, frozen=True, tag="host-gone"):
    """Nobody waits for that decision any more."""

    id: str


class LoginRejected(msgspec.Struct, frozen=True, tag="login-rejected"):
    """The API does not take a login. Look for it anew, and push the table, changed or not.

    Attributes:
        login: its name; with `fingerprint`, which one it was.
        status: 401 or 403.
        run: whose call it was.
    """

    login: str
    fingerprint: str
    status: int
    run: str


class LimitReached(msgspec.Struct, frozen=True, tag="limit-reached"):
    """The usage limit of a subscription is reached: what a CLI without a login does not say.

    Attributes:
        run: whose call met it.
        resets_at: seconds since 1970.
    """

    run: str
    resets_at: int


class Listening(msgspec.Struct, frozen=True, tag="listening"):
    """All ports that a task listens on, whenever they have changed."""

    label: str
    ports: tuple[int, ...]


class Spent(msgspec.Struct, frozen=True, tag="spent"):
    """Dollars that a task has spent in all, told after each call."""

    task: str
    dollars: float


class Anomaly(msgspec.Struct, frozen=True, tag="anomaly"):
    """Something that a well-behaved run does not do, or that the person should know.

    Attributes:
        run: whose it is; "" where it is nobody's.
        kind: one word of a list that may grow: "connections", "placeholder", "price", "books", …
        text: one line, without anything secret.
    """

    run: str
    kind: str
    text: str


class PortAnswer(msgspec.Struct, frozen=True, tag="port-answer"):
    """Answer to an `OpenPort` or a `ForwardPort`: an address, or why there is none."""

    id: int
    url: str = ""
    problem: str = ""
    hint: str = ""


FromGateway = (
    Served
    | HostWanted
    | HostGone
    | LoginRejected
    | LimitReached
    | Listening
    | Spent
    | Anomaly
    | PortAnswer
)
