"""A sealed task with the real engine and CLI: no login inside, hosts by name, pages by a cookie."""

from __future__ import annotations

import asyncio
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks.calls import StopTask
from ctui.tasks.model import Answer, AskKind, AskState, Task
from tests import warm
from tests.tasks.conftest import WAIT_SECONDS, Person

pytestmark = pytest.mark.engine

_SERVE = "bash echo '{word}' > index.html; (python3 -m http.server 3000 >/tmp/log 2>&1 &); sleep 1"
_WAIT = "ask Go on? | Next | Yes: go on | No: stop"
_PLACES = "/home /tmp /ctui /etc /workspace /run /var /root /mnt /srv"
# The pattern does not match itself: the prompt is in the CLI's own files.
_LOOK = (
    "bash env | sort; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; "
    f"grep -raohE 'sk-ant-d[e]mo-[0-9a-f]+' {_PLACES} 2>/dev/null; echo looked"
)


@pytest.fixture
def page() -> Iterator[int]:
    """A server of this machine, which only who names it reaches; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"of this machine\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


async def _curl(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("curl", "--noproxy", "*", "-sS", "-m", "20", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode()


async def _serves(person: Person, task: str) -> Task:
    return await person.until(task, lambda now: 3000 in now.ports)


async def test_no_login_is_in_a_task_by_any_means_at_hand(person: Person) -> None:
    """Environment, files and every process; the placeholder is a constant."""
    await person.start("look", _LOOK, "say Done.", skip_permissions=True)
    await person.idle("look")
    said = person.tool_output("look")
    assert "looked" in said
    assert person.world.credential not in said
    assert "ANTHROPIC_AUTH_TOKEN=ctui-has-the-login" in said
    for entry in person.journal("look"):
        assert person.world.credential not in entry.line
    _, shown = await person.ctui("task", "show", "look", "--json")
    assert json.loads(shown[shown.index("{") :])["task"]["network"] == "allow"


async def test_a_page_of_each_task_is_seen_by_whoever_opened_it(
    person: Person, tmp_path: Path
) -> None:
    """Two tasks on one port; an address works once, then by its cookie, and by nobody else's."""
    for name in ("tea", "milk"):
        await person.start(name, _SERVE.format(word=name), _WAIT, skip_permissions=True)
    jar = str(tmp_path / "jar")
    for name in ("tea", "milk"):
        await _serves(person, name)
        code, url = await person.ctui("task", "open", name, "3000", "--url")
        assert code == 0, url
        assert url.count("\n") == 1
        assert await _curl("-L", "-c", jar, "-b", jar, url.strip()) == f"{name}\n"
        plain = url.partition("?")[0]
        assert await _curl("-b", jar, plain) == f"{name}\n"
        assert "ctui task open" in await _curl(plain)
        assert name not in await _curl("-L", url.strip())  # it worked once
    # By ssh the person's browser is elsewhere: the address is printed, and the way to it.
    environ = {**person.world.environ, "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}
    command = ("task", "open", "tea")
    done = await asyncio.to_thread(warm.run, person.repository, command, environ, b"", WAIT_SECONDS)
    assert await _curl("-L", "-c", jar, done[1].decode().strip()) == "tea\n"
    assert "where your browser is: ssh -L " in done[2].decode()
    # Where there is none at all, that address is what a person can use.
    without = {"DISPLAY", "WAYLAND_DISPLAY", "TERM", "BROWSER", "SSH_CONNECTION"}
    environ = {name: one for name, one in person.world.environ.items() if name not in without}
    done = await asyncio.to_thread(warm.run, person.repository, command, environ, b"", WAIT_SECONDS)
    assert (done[0], "no browser here" in done[2].decode()) == (0, True)
    assert await _curl("-L", "-c", jar, done[1].decode().strip()) == "tea\n"
    code, said = await person.ctui("task", "open", "tea", "3001", "--url")
    assert code == 1
    assert "3001" in said


async def test_a_host_is_asked_for_and_the_connection_goes_on(person: Person) -> None:
    """By the command line; the answer is kept for the task, and the log has the host."""
    reach = "bash curl -sS -m 60 http://a.invalid/ 2>&1; curl -sS -m 60 http://a.invalid/ 2>&1"
    await person.start("asks", reach, "say Done.", skip_permissions=True)
    ask = await person.asked("asks")
    assert (ask.kind, ask.title) == (AskKind.HOST, "reach a.invalid:80")
    code, said = await person.ctui("task", "answer", "asks", "session")
    assert code == 0, said
    await person.idle("asks")
    assert person.tool_output("asks").count("there is no such name") == 2
    assert person.store.asks.list(AskState.PENDING) == []
    _, said = await person.ctui("network", "log", "asks", "--json")
    rows = json.loads(said[said.index("[") :])
    verdicts = [(row["host"], row["verdict"]) for row in rows if row["port"] == 80]
    assert verdicts[-2:] == [("a.invalid", "failed")] * 2


async def test_a_denied_host_is_refused_without_another_ask(person: Person) -> None:
    """Nor is anybody asked for one that was allowed at the start, or that is this machine."""
    asked, allowed = "http://a.invalid/", "http://b.invalid/"
    pages = ("http://3000.tea.localhost:8899/", "http://LocalHost.:6080/")
    hosts = (allowed, *pages, asked, asked)
    curl = "curl -sS -m 60 --noproxy '' -x http://127.0.0.1:3128"
    reach = "bash " + "; ".join(f"{curl} {url} 2>&1" for url in hosts)
    given = {"allow_hosts": ("b.invalid",), "skip_permissions": True}
    await person.start("asks", reach, "say Done.", **given)
    ask = await person.asked("asks")
    assert ask.title == "reach a.invalid:80"
    await person.answer(ask, Answer("deny"))
    await person.idle("asks")
    said = person.tool_output("asks")
    assert "b.invalid:80: there is no such name" in said
    for page in ("3000.tea.localhost:8899", "localhost:6080"):
        assert f"{page} is refused: it leads to this machine" in said
    assert "a.invalid:80 is not allowed" in said
    assert "a.invalid:80 is refused: deny a.invalid:80 (task)" in said


async def test_this_machine_is_reached_where_the_person_named_the_port(
    person: Person, page: int
) -> None:
    """By the name `host`, and by no address; a closed task reaches not even that."""
    config = person.world.paths.config_file
    named = f'[network]\nprivate = ["host:{page}"]'
    config.write_text(config.read_text().replace("[network]", named))
    tries = [f"curl -sS -m 20 http://{host}:{page}/ 2>&1" for host in ("host", "127.0.0.1", "::1")]
    straight = f"curl --noproxy '*' -sS -m 5 http://172.17.0.1:{page}/ 2>&1"
    script = "bash " + "; ".join([*tries, straight])
    await person.start("reaches", script, "say Done.", skip_permissions=True)
    await person.idle("reaches")
    assert person.tool_output("reaches").count("of this machine") == 1
    await person.start("closed", script, "say Done.", skip_permissions=True, network="closed")
    await person.idle("closed")
    assert "of this machine" not in person.tool_output("closed")


async def test_a_shell_has_the_tasks_network_and_a_run_begins_where_it_is(person: Person) -> None:
    """The gateway's proxies, not the person's with its password; and the run has its login."""
    await person.start("one", "say Ready.")
    await person.idle("one")
    await person.client.call(StopTask("one"))
    look = "env | grep -i _proxy; curl -sS -m 20 http://a.invalid/"
    environ = {**person.world.environ, "HTTPS_PROXY": "http://person:hunter2@proxy.example:3128"}
    command = ("task", "shell", "one", "--", "sh", "-c", look)
    done = await asyncio.to_thread(warm.run, person.repository, command, environ, b"", WAIT_SECONDS)
    said = done[1].decode()
    assert "https_proxy=http://127.0.0.1:3128\n" in said
    assert "HTTPS_PROXY=http://127.0.0.1:3128\n" in said
    assert "hunter2" not in said
    assert "a.invalid:80 is not allowed" in said
    code, said = await person.ctui("task", "send", "one", fenced("say Again."))
    assert code == 0, said
    await person.idle("one", turns=2)


async def test_a_port_is_forwarded_for_what_is_no_page(person: Person) -> None:
    await person.start("tea", _SERVE.format(word="tea"), _WAIT, skip_permissions=True)
    await _serves(person, "tea")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "task", "forward", "tea", "3000:0"),
        stdout=asyncio.subprocess.PIPE,
        env=person.world.environ,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            address = (await process.stdout.readline()).decode().split()[0]
        assert await _curl(f"http://{address}/") == "tea\n"
    finally:
        process.terminate()
        await process.wait()
