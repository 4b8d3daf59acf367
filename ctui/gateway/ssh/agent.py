"""The agent of one run: it lists keys, and signs the start of a session with the host of each.

A client says first for which session its connection is, and proves by the host's own signature with
which host (`session-bind@openssh.com`, OpenSSH 8.9 and later). Without that nothing is signed: a
signature would be as good at any other host that has the same key.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Literal

from ctui.errors import Unavailable
from ctui.files import replace_file
from ctui.gateway.egress.attempt import Pace
from ctui.gateway.egress.policy import Attempt, Policy, Record, decide
from ctui.gateway.sockets import Acceptor, listen_unix
from ctui.gateway.ssh import wire
from ctui.gateway.ssh.files import files_of
from ctui.gateway.ssh.keys import SshKey, is_signed_by, sign

CONNECTIONS = 32
"""Of one run at the same time."""
_IDLE_SECONDS = 600.0
_AGENT_SECONDS = 60.0
"""Seconds for the person's own agent, which may ask for a finger on a key."""
_UNBOUND = "a program wanted a signature without saying for which host"
_FOREIGN = "a program wanted to sign in at a host that the key is not for"


class Unsigned(Exception):
    """Nothing is signed; the message says why, for the log."""

    def __init__(self, why: str, *, anomaly: bool = False) -> None:
        super().__init__(why)
        self.anomaly = anomaly


class SshAgent:
    """The agent of one run: a socket that `start` makes and `close` removes, with files beside."""

    def __init__(
        self,
        path: Path,
        keys: Callable[[], Collection[SshKey]],
        ask: Callable[[Attempt], Awaitable[bool]],
        record: Callable[[Record], None],
        policy: Callable[[], Policy],
    ) -> None:
        """Offer keys at a socket.

        Args:
            path: of the socket, whose folder is the run's own.
            keys: returns those that the run may use.
            ask: whether somebody agrees to a key's use; where the policy does not say so already.
            record: takes what was signed, and what was not.
            policy: returns what the run may reach, and for how long an answer is waited for.
        """
        self._path = path
        self._keys = keys
        self._ask, self._policy = ask, policy
        self._record = record
        self._pace = Pace()
        self._asked: dict[SshKey, asyncio.Future[bool]] = {}
        self._acceptor: Acceptor | None = None
        self._files: list[Path] = []

    async def start(self) -> None:
        """Make the socket, and the files by which ssh finds it.

        Raises:
            Unavailable: the socket cannot be made, or a file.
        """
        listener = listen_unix(self._path)
        self._acceptor = Acceptor(listener, self._serve, limit=CONNECTIONS)
        for name, text in files_of(self._keys()).items():
            path = self._path.with_name(name)
            try:
                replace_file(path, text.encode(), mode=0o644, sync=False)
            except OSError as error:
                raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
            self._files.append(path)

    async def close(self) -> None:
        """Remove the socket and the files, and cut every connection."""
        for path in (self._path, *self._files):
            with contextlib.suppress(OSError):
                path.unlink()
        if self._acceptor is not None:
            await self._acceptor.close()
        questions = list(self._asked.values())
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    # -- one connection

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        bound: _Bound | str = _UNBOUND
        try:
            while True:
                # Of messages that are here already each is read at once: all others wait.
                await asyncio.sleep(0)
                async with asyncio.timeout(_IDLE_SECONDS):
                    kind, body = await _message(reader)
                if kind == wire.EXTENSION and not isinstance(bound, _Bound):
                    bound = self._bind(body) or bound
                    answer = bytes([wire.FAILURE if isinstance(bound, str) else wire.SUCCESS])
                else:
                    answer = await self._answer(kind, body, bound)
                writer.write(wire.string(answer))
                async with asyncio.timeout(_IDLE_SECONDS):
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, wire.Malformed):
            pass
        finally:
            # What nobody took would have the loop watch a descriptor that is another's then.
            writer.transport.abort()

    async def _answer(self, kind: int, body: bytes, bound: _Bound | str) -> bytes:
        if kind == wire.REQUEST_IDENTITIES:
            known = {key.public: key.name for key in self._keys() if key.signs}
            return wire.identities(list(known.items()))
        if kind == wire.SIGN:
            return await self._sign(body, bound)
        return bytes([wire.FAILURE])

    def _bind(self, body: bytes) -> _Bound | str | None:
        """Return what a connection is for, or why it is for nothing; None if that is not said."""
        bind = wire.bind_of(body)
        if bind is None:
            return None
        keys = [key for key in self._keys() if bind.host_key in key.host_keys]
        if not keys or bind.forwarding:
            return _FOREIGN
        # A key of the task's own could be one whose signatures take seconds to look at.
        signed = is_signed_by(bind.host_key, bind.signature, bind.session)
        return _Bound(bind, keys, body) if signed else _FOREIGN

    async def _sign(self, body: bytes, bound: _Bound | str) -> bytes:
        asked = wire.sign_request(body)
        key = next((key for key in self._keys() if key.public == asked.key and key.signs), None)
        if key is None:
            return bytes([wire.FAILURE])
        if isinstance(bound, _Bound):
            key = bound.key_of(asked) or key
        await asyncio.sleep(self._pace.delay())
        try:
            signature = await self._signed(key, asked, body, bound)
        except Unsigned as error:
            self._tell(key, "refused", str(error), str(error) if error.anomaly else "")
            return bytes([wire.FAILURE])
        self._tell(key, "allowed", "signed in by ssh")
        return bytes([wire.SIGNATURE]) + wire.string(signature)

    async def _signed(
        self, key: SshKey, asked: wire.SignRequest, body: bytes, bound: _Bound | str
    ) -> bytes:
        """Return the signature.

        Raises:
            Unsigned: with the reason why there is none.
        """
        try:
            wanted = wire.sign_in(asked.data)
        except wire.Malformed as error:
            raise Unsigned(str(error), anomaly=True) from None
        if isinstance(bound, str):
            raise Unsigned(bound, anomaly=True)
        bound.check(key, wanted)
        # Somebody who has denied the host is not asked again, whatever session is left of before.
        if (verdict := decide(self._policy(), key.target)).what == "refuse":
            raise Unsigned(verdict.rule)
        if not await self._is_agreed(key):
            raise Unsigned("nobody agreed to the use of the key")
        if not key.private:
            return await _signed_elsewhere(key, body, bound)
        try:
            return sign(key.private, asked.data, asked.flags)
        except wire.Malformed as error:
            raise Unsigned(str(error)) from None

    async def _is_agreed(self, key: SshKey) -> bool:
        """Return whether somebody agrees; an answer that is to last is in the policy by then."""
        if key.target in self._policy().sign:
            return True
        question = self._asked.get(key)
        if question is None:
            question = asyncio.ensure_future(self._put(key))
            self._asked[key] = question
            question.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(question)

    async def _put(self, key: SshKey) -> bool:
        try:
            async with asyncio.timeout(self._policy().hold):
                return await self._ask(Attempt(*key.target, key=key.name))
        except Exception:  # noqa: BLE001 - no answer, for whatever reason, agrees to nothing
            return False

    def _tell(
        self, key: SshKey, verdict: Literal["allowed", "refused"], rule: str, anomaly: str = ""
    ) -> None:
        record = Record(
            key=secrets.token_hex(8),
            at=time.time(),
            host=key.host,
            port=key.port,
            verdict=verdict,
            rule=rule,
            anomaly=anomaly,
            credential=key.name if verdict == "allowed" else "",
        )
        self._record(record)


class _Bound:
    """Session with a host, which a connection to the agent is for."""

    def __init__(self, bind: wire.Bind, keys: list[SshKey], body: bytes) -> None:
        self.body = body
        self._bind = bind
        self._keys = keys

    def key_of(self, asked: wire.SignRequest) -> SshKey | None:
        """Return the key of that public one that is for this host."""
        return next((key for key in self._keys if key.public == asked.key and key.signs), None)

    def check(self, key: SshKey, wanted: wire.SignIn) -> None:
        """Refuse what is not the start of this session by this key.

        Raises:
            Unsigned: with the reason.
        """
        if key not in self._keys:
            raise Unsigned("the key is not for that host", anomaly=True)
        if wanted.session != self._bind.session or wanted.key != key.public:
            raise Unsigned("a signature for another session was wanted", anomaly=True)
        if wanted.host_key not in {None, self._bind.host_key}:
            raise Unsigned("a signature for another host was wanted", anomaly=True)


async def _message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the kind and the body of the next message.

    Raises:
        IncompleteReadError: there is none.
        Malformed: it is too long, or empty.
    """
    (size,) = struct.unpack(">I", await reader.readexactly(4))
    if not 0 < size <= wire.LONGEST:
        raise wire.Malformed("a message of that length")
    data = await reader.readexactly(size)
    return data[0], data[1:]


async def _signed_elsewhere(key: SshKey, body: bytes, bound: _Bound) -> bytes:
    """Return a signature by the person's own agent, which is told the session as well.

    Raises:
        Unsigned: it does not sign.
    """
    try:
        async with asyncio.timeout(_AGENT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(key.agent)
            try:
                for kind, said in ((wire.EXTENSION, bound.body), (wire.SIGN, body)):
                    writer.write(wire.string(bytes([kind]) + said))
                    answer, data = await _message(reader)
            finally:
                writer.close()
        if answer != wire.SIGNATURE:
            raise Unsigned("your own agent of ssh does not sign by that key: `ssh-add` adds it")
        return wire.Reader(data).string()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, wire.Malformed):
        raise Unsigned("your own agent of ssh does not answer") from None
