"""Signing in by ssh with a key that stays outside: real ssh, git, sshd and agents."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from pathlib import Path

import msgspec
import pytest

from ctui.errors import Unavailable
from ctui.gateway.egress.policy import rule_of
from ctui.gateway.ssh import wire
from tests.conftest import git
from tests.gateway.ssh.servers import (
    USER,
    SshWay,
    elsewhere,
    keys,
    named,
    needs_sshd,
    run,
    server,
    signing,
)

pytestmark = needs_sshd


@pytest.mark.parametrize("kind", ["ed25519", pytest.param("rsa", marks=pytest.mark.slow), "ecdsa"])
async def test_a_task_signs_in_without_the_key(tmp_path: Path, kind: str) -> None:
    """An answer counts for the run; the log has the key's name, no file the key."""
    made = await keys(tmp_path / "person", kind)
    async with server(made) as port, signing(tmp_path / "run", named(made, port)) as task:
        for word in ("tea", "milk"):
            code, said = await task.ssh("echo", word)
            assert (code, said) == (0, f"{word}\n"), said
        assert [(one.host, one.port, one.key) for one in task.way.asked] == [
            ("localhost", port, str(made.key))
        ]
        signed = [one for one in task.way.records if one.credential]
        assert [(one.verdict, one.rule) for one in signed] == [("allowed", "signed in by ssh")] * 2
        assert {one.credential for one in signed} == {str(made.key)}
        for file in task.folder.iterdir():
            assert not file.is_file() or "PRIVATE" not in file.read_text()


async def test_a_rule_that_is_forgotten_signs_nothing_more(tmp_path: Path) -> None:
    """A yes counts for as long as its rule is kept: the next signature is asked for anew."""
    made = await keys(tmp_path / "person")
    async with server(made) as port, signing(tmp_path / "run", named(made, port)) as task:
        assert await task.ssh("echo", "tea") == (0, "tea\n")
        task.way.policy = msgspec.structs.replace(task.way.policy, sign=())
        task.way.answer, task.way.allowed = None, False
        code, said = await task.ssh("echo", "milk")
        assert (code, "Permission denied" in said) == (255, True)
        assert len(task.way.asked) == 2


async def test_git_fetches_and_pushes(tmp_path: Path, repository: Path) -> None:
    made = await keys(tmp_path / "person")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "theirs.git")
    async with server(made) as port, signing(tmp_path / "run", named(made, port)) as task:
        url = f"ssh://{USER}@localhost:{port}{tmp_path}/theirs.git"
        clone = ("git", "clone", "-q", url, str(tmp_path / "ours"))
        assert await run(*clone, environ=task.environ) == (0, "")
        push = ("git", "-C", str(tmp_path / "ours"), "push", "-q", url, "HEAD:refs/heads/new")
        assert await run(*push, environ=task.environ) == (0, "")
    assert git(tmp_path / "theirs.git", "rev-parse", "new") == git(
        tmp_path / "ours", "rev-parse", "HEAD"
    )


async def test_the_persons_own_agent_signs_by_a_key_that_is_locked(tmp_path: Path) -> None:
    """The private half is nowhere in ctui; what the agent has beside it is not offered."""
    made = await keys(tmp_path / "person", words="correct horse")
    other = await keys(tmp_path / "other")
    own = tmp_path / "own.sock"
    agent = await asyncio.create_subprocess_exec(
        *("ssh-agent", "-D", "-a", str(own)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert agent.stdout is not None
        await agent.stdout.readline()
        ask = tmp_path / "ask"
        ask.write_text("#!/bin/sh\necho correct horse\n")
        ask.chmod(0o755)
        environ = {
            "SSH_AUTH_SOCK": str(own),
            "SSH_ASKPASS": str(ask),
            "SSH_ASKPASS_REQUIRE": "force",
        }
        key = {}
        async with server(made) as port:
            key["locked"] = named(made, port, environ)
            assert key["locked"].private == ""
            async with signing(tmp_path / "run", key["locked"]) as task:
                code, said = await task.ssh("echo", "tea")
                assert code != 0
                assert any("ssh-add" in one.rule for one in task.way.records)
                for one in (made.key, other.key):
                    code, said = await run("ssh-add", "-q", str(one), environ=environ)
                    assert code == 0, said
                assert await task.ssh("echo", "tea") == (0, "tea\n")
                _, listed = await run("ssh-add", "-L", environ=task.environ)
                assert listed.split()[1] == made.public.split()[1]
                assert listed.count("\n") == 1
    finally:
        agent.terminate()
        await agent.wait()


async def test_nothing_is_signed_before_somebody_agrees(tmp_path: Path) -> None:
    made = await keys(tmp_path / "person")
    async with (
        server(made) as port,
        signing(tmp_path / "run", named(made, port), allowed=False) as task,
    ):
        code, said = await task.ssh("echo", "tea")
        assert code == 255
        assert "Permission denied" in said
        refused = [one for one in task.way.records if one.verdict == "refused"]
        assert [one.rule for one in refused] == ["nobody agreed to the use of the key"]
        assert [one.credential for one in refused] == [""]


async def test_another_host_that_has_the_same_key_is_not_signed_in_at(tmp_path: Path) -> None:
    """What the client says of its session is the other host's word: it gets no signature, also
    where the task trusts that host and leaves out all that is generated."""
    made = await keys(tmp_path / "person")
    foreign = await keys(tmp_path / "foreign")
    (foreign.folder / "authorized_keys").write_text(made.public)
    async with (
        server(made) as port,
        server(foreign) as other,
        signing(tmp_path / "run", named(made, port)) as task,
    ):
        straight = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null")
        there = ("-p", str(other), f"{USER}@127.0.0.1", "true")
        code, said = await run("ssh", "-F", "none", *straight, *there, environ=task.environ)
        assert code == 255
        assert "Permission denied" in said
        assert not task.way.asked
        [record] = [one for one in task.way.records if one.anomaly]
        assert record.anomaly == "a program wanted to sign in at a host that the key is not for"


async def test_a_host_with_another_key_than_the_known_one_is_not_spoken_with(
    tmp_path: Path,
) -> None:
    made = await keys(tmp_path / "person")
    async with server(made) as port:
        wrong = await keys(tmp_path / "wrong")
        key = elsewhere(named(made, port), named(wrong, port).host_keys)
        async with signing(tmp_path / "run", key) as task:
            code, said = await task.ssh("true")
            assert code == 255
            assert "Host key verification failed" in said
            assert not task.way.asked


async def test_a_host_that_is_denied_is_said_by_ssh(tmp_path: Path) -> None:
    """The way there is decided about as any other, and the line reaches whoever reads ssh's."""
    made = await keys(tmp_path / "person")
    async with server(made) as port, signing(tmp_path / "run", named(made, port)) as task:
        denied = (rule_of("localhost", ports=()),)
        task.way.policy = msgspec.structs.replace(task.way.policy, deny=denied)
        code, said = await task.ssh("true")
        assert code == 255
        assert f"ctui: localhost:{port} is refused: deny localhost:* (person)" in said
        assert not task.way.asked


async def test_no_commit_and_no_file_is_signed(tmp_path: Path) -> None:
    """A signature of anything but the start of a session could be taken for the person's word."""
    made = await keys(tmp_path / "person")
    (tmp_path / "text").write_text("pay\n")
    key = named(made, 2222)
    async with signing(tmp_path / "run", key) as task:
        public = str(task.folder / "ssh-0.pub")
        sign = ("ssh-keygen", "-Y", "sign", "-n", "file", "-f", public, str(tmp_path / "text"))
        code, said = await run(*sign, environ=task.environ)
        assert code != 0
        assert "agent refused operation" in said
        assert not task.way.asked
        [record] = task.way.records
        assert "something else than the start of a session" in record.anomaly


# -- what a program of a task says by hand


async def _say(task: SshWay, *messages: bytes) -> list[bytes]:
    """Say messages on one connection, and return the answers until it ends."""
    reader, writer = await asyncio.open_unix_connection(task.environ["SSH_AUTH_SOCK"])
    found = []
    try:
        for message in messages:
            writer.write(wire.string(message))
            (size,) = struct.unpack(">I", await reader.readexactly(4))
            found.append(await reader.readexactly(size))
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()
    return found


FAILED = bytes([wire.FAILURE])


@pytest.mark.parametrize(
    "message",
    [
        bytes([17]) + wire.string(b"ssh-ed25519"),  # add a key
        bytes([25]) + wire.string(b"ssh-ed25519"),  # and bind its use
        *(bytes([kind]) for kind in (9, 18, 19, 20, 21, 22, 23, 0, 255)),  # remove, lock, cards
        bytes([27]) + wire.string(b"query"),
        bytes([27]) + wire.string(b"restrict-destination-v00@openssh.com"),
    ],
)
async def test_an_agent_that_only_lists_and_signs(tmp_path: Path, message: bytes) -> None:
    made = await keys(tmp_path / "person")
    async with signing(tmp_path / "run", named(made, 2222)) as task:
        answers = await _say(task, message, bytes([wire.REQUEST_IDENTITIES]))
        assert answers[0] == FAILED
        assert answers[1][0] == wire.IDENTITIES


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">I", 0),
        struct.pack(">I", wire.LONGEST + 1) + b"\x0b",
        struct.pack(">I", 0xFFFFFFFF),
        wire.string(bytes([wire.SIGN]) + b"\x00\x00\xff\xff"),
        wire.string(bytes([wire.EXTENSION]) + wire.string(b"session-bind@openssh.com")),
    ],
)
async def test_what_is_no_message_ends_the_connection(tmp_path: Path, data: bytes) -> None:
    made = await keys(tmp_path / "person")
    async with signing(tmp_path / "run", named(made, 2222)) as task:
        reader, writer = await asyncio.open_unix_connection(task.environ["SSH_AUTH_SOCK"])
        writer.write(data)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert (await _say(task, bytes([wire.REQUEST_IDENTITIES])))[0][0] == wire.IDENTITIES


async def test_files_that_cannot_be_written_are_that_run_s_problem(tmp_path: Path) -> None:
    """The gateway names a run that cannot be served, and goes on with the others."""
    key = named(await keys(tmp_path / "person"), 2222)
    (tmp_path / "run" / "known_hosts").mkdir(parents=True)
    with pytest.raises(Unavailable, match="known_hosts cannot be written: Is a directory"):
        async with signing(tmp_path / "run", key):
            pass


async def _flood(place: str) -> socket.socket:
    """Connect, and ask for the keys until nobody takes anything more, as no answer is taken."""
    flood = socket.socket(socket.AF_UNIX)
    flood.setblocking(False)
    flood.connect(place)
    refused = 0
    while refused < 100:
        try:
            flood.send(wire.string(bytes([wire.REQUEST_IDENTITIES])) * 100)
        except BlockingIOError:
            refused += 1
        await asyncio.sleep(0)
    return flood


async def test_one_that_takes_no_answer_leaves_nothing_in_the_way_of_others(tmp_path: Path) -> None:
    """The connections that come next get the numbers of the descriptors that are closed."""
    key = named(await keys(tmp_path / "person"), 2222)
    async with signing(tmp_path / "one", key) as task:
        floods = [await _flood(task.environ["SSH_AUTH_SOCK"]) for _ in range(3)]
    async with signing(tmp_path / "two", key) as task, asyncio.timeout(30):
        asking = (_say(task, bytes([wire.REQUEST_IDENTITIES])) for _ in range(8))
        answers = await asyncio.gather(*asking)
        assert [answer[0] for [answer] in answers] == [wire.IDENTITIES] * 8
    for flood in floods:
        flood.close()


def _bind(host_key: bytes, session: bytes, signature: bytes, *, forwarding: int = 0) -> bytes:
    parts = (b"session-bind@openssh.com", host_key, session, signature)
    return bytes([wire.EXTENSION]) + b"".join(map(wire.string, parts)) + bytes([forwarding])


def _sign(
    key: bytes,
    session: bytes,
    *,
    host_key: bytes = b"",
    more: bytes = b"",
    user: bytes = b"u",
    method: bytes = b"",
    service: bytes = b"ssh-connection",
    kind: bytes = b"\x32",
    by_key: bytes = b"\x01",
) -> bytes:
    method = method or (b"publickey-hostbound-v00@openssh.com" if host_key else b"publickey")
    data = wire.string(session) + kind + wire.string(user) + wire.string(service)
    data += wire.string(method) + by_key + wire.string(b"ssh-ed25519") + wire.string(key)
    data += (wire.string(host_key) if host_key else b"") + more
    return bytes([wire.SIGN]) + wire.string(key) + wire.string(data) + struct.pack(">I", 0)


async def test_a_signature_is_for_the_session_that_the_host_has_signed(tmp_path: Path) -> None:
    """Everything that differs from it is refused; the one that is the same is signed."""
    from ctui.gateway.ssh.keys import is_signed_by, sign

    made = await keys(tmp_path / "person")
    key = named(made, 2222)
    [host] = key.host_keys
    session, other = b"s" * 32, b"o" * 32
    word = sign(made.host_key.read_text(), session, 0)
    async with signing(tmp_path / "run", key) as task:
        good, bind = _sign(key.public, session), _bind(host, session, word)
        for said in (
            (good,),
            (_bind(host, other, word), good),
            (_bind(key.public, session, sign(key.private, session, 0)), good),
            (_bind(host, session, word, forwarding=1), good),
            (_bind(host, session, word + b"x"), good),
            (_bind(host, session, b""), good),
        ):
            answers = await _say(task, *said)
            assert set(answers) <= {FAILED}, said
        for refused in (
            _sign(key.public, other),
            _sign(key.public, session, host_key=key.public),
            _sign(key.public, session, more=b"x"),
            _sign(host, session),
            _sign(key.public, session, user=b"\xff"),
            _sign(key.public, session, method=b"hostbased"),
            _sign(key.public, session, service=b"ssh-userauth"),
            _sign(key.public, session, kind=b"\x33"),
            _sign(key.public, session, by_key=b"\x00"),
        ):
            assert await _say(task, bind, refused) == [bytes([wire.SUCCESS]), FAILED]
        assert not task.way.asked
        allowed, denied = task.way.policy, (rule_of("localhost", ports=()),)
        task.way.policy = msgspec.structs.replace(allowed, deny=denied)
        assert await _say(task, bind, good) == [bytes([wire.SUCCESS]), FAILED]
        assert not task.way.asked
        task.way.policy = allowed
        # A second word on a connection does not make it another session's.
        again = _bind(host, other, sign(made.host_key.read_text(), other, 0))
        assert (await _say(task, bind, again, _sign(key.public, other)))[1:] == [FAILED, FAILED]
        for right in (good, _sign(key.public, session, host_key=host)):
            accepted, answer = await _say(task, bind, right)
            assert (accepted, answer[0]) == (bytes([wire.SUCCESS]), wire.SIGNATURE)
            data = wire.Reader(right[1:])
            data.string()
            signature = wire.Reader(answer[1:]).string()
            assert is_signed_by(key.public, signature, data.string())


async def test_an_agent_of_the_persons_that_says_nothing_of_use_is_no_alarm(
    tmp_path: Path,
) -> None:
    """The task has done nothing that it should not: the line in the log is about the agent."""
    from ctui.gateway.ssh.keys import sign

    made = await keys(tmp_path / "person")
    own, session = tmp_path / "own.sock", b"s" * 32

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in (bytes([wire.SUCCESS]), bytes([wire.SIGNATURE]) + b"\0\0\xff\xff"):
            await reader.readexactly(int.from_bytes(await reader.readexactly(4)))
            writer.write(wire.string(said))
        writer.close()

    key = msgspec.structs.replace(named(made, 2222), private="", agent=str(own))
    async with (
        await asyncio.start_unix_server(answer, own),
        signing(tmp_path / "run", key) as task,
    ):
        word = sign(made.host_key.read_text(), session, 0)
        bind = _bind(key.host_keys[0], session, word)
        assert (await _say(task, bind, _sign(key.public, session)))[1] == FAILED
        [record] = task.way.records
        assert (record.rule, record.anomaly) == ("your own agent of ssh does not answer", "")


def _is_open(connection: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        try:
            connection.send(b"\0")
        except ConnectionError:
            return False
    return True


async def test_who_takes_no_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctui.gateway.ssh.agent._IDLE_SECONDS", 0.3)
    key = named(await keys(tmp_path / "person"), 2222)
    async with signing(tmp_path / "run", key) as task:
        flood = await _flood(task.environ["SSH_AUTH_SOCK"])
        async with asyncio.timeout(20):
            while _is_open(flood):  # noqa: ASYNC110 - of a socket
                await asyncio.sleep(0.02)
        flood.close()


async def test_no_flood_keeps_the_gateway_from_others(tmp_path: Path) -> None:
    """Host keys that are the task's own are not calculated with, and requests are taken in turns:
    with all that a connection can have sent before it reads, others come between its messages."""
    made = await keys(tmp_path / "person")
    key = named(made, 2222)
    odd = (b"ssh-rsa", b"\x7f" * 383, b"\x7f" * 384)  # an exponent that is as long as its modulus
    word = wire.string(b"rsa-sha2-256") + wire.string(b"\1" * 384)
    bind = wire.string(_bind(b"".join(map(wire.string, odd)), b"s" * 32, word))
    sign = wire.string(_sign(key.public, b"s" * 32))
    async with signing(tmp_path / "run", key) as task:
        for flood, least in ((bind * 200, 200), (sign * 300, 50)):
            reader, writer = await asyncio.open_unix_connection(task.environ["SSH_AUTH_SOCK"])
            writer.write(flood)
            answers, turns = asyncio.ensure_future(reader.readexactly(least * 5)), 0
            began = time.process_time()
            while not answers.done():
                await asyncio.sleep(0)
                turns += 1
            assert turns > least
            assert time.process_time() - began < 1
            writer.close()
        await asyncio.sleep(0.1)
        assert len(task.way.records) < 200
