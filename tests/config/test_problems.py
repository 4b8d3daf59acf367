"""Every problem of a file has its line, its key and what may be meant."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ctui
from ctui.config.lines import lines_of
from ctui.config.model import known_keys
from ctui.config.problems import Problem, toml_value, variable_problems
from ctui.config.sources import checked
from ctui.paths import Paths
from ctui.text import one_line

SEVENTH = """\
# mine

[sandbox]
memory = "8g"
cpus = 1.5

pids = "many"
tmp = "1g"
"""


def found(text: str) -> list[tuple[int | None, str, str]]:
    return [(problem.line, problem.key, problem.hint) for problem in checked(text)[1]]


def test_a_wrong_type_in_line_7_is_reported_as_line_7() -> None:
    [problem] = checked(SEVENTH)[1]
    assert (problem.line, problem.key) == (7, "sandbox.pids")
    assert "int" in problem.message
    assert problem.hint == "such as 2048"


_DOMAINS = "write it like *.tasks.example.org, or *.tasks.example.org:6080"


@pytest.mark.parametrize("port", ["", ":1", ":6080", ":59999", ":65535"])
def test_a_domain_has_a_port_that_there_is(port: str) -> None:
    assert found(f"[serve]\nports_domain = '*.a.example{port}'\n") == []


@pytest.mark.parametrize(
    ("text", "line", "key", "hint"),
    [
        ("[claude]\nmodle = 'opus'\n", 2, "claude.modle", "did you mean claude.model?"),
        *(
            (f"[serve]\nports_domain = '*.a.example{port}'\n", 2, "serve.ports_domain", _DOMAINS)
            for port in (":99999", ":65536", ":0", ":")
        ),
        ("\n\n[cluade]\nmodel = 'x'\n", 3, "cluade", "did you mean claude?"),
        ("[claude]\ndebugger = true\n", 2, "claude.debugger", "did you mean sandbox.debugger?"),
        ("model = 'opus'\n", 1, "model", "it belongs into [claude]"),
        ("claude = 1\n", 1, "claude", "write [claude] and its keys below"),
        ("claude = { model = 3 }\n", 1, "claude.model", 'such as ""'),
        ("[claude]\nmodel = ''\n[keys]\nquit = 3\n", 4, "keys.quit", 'such as "ctrl+n"'),
        ("sandbox.cpus = 0\n", 1, "sandbox.cpus", "such as 2.0"),
        ("[sandbox]\n\nmemory = 'lots'\n", 3, "sandbox.memory", "write it like 512m or 4g"),
        ("[claude]\npermission_mode = 'yolo'\n", 2, "claude.permission_mode", 'such as "default"'),
        ("[screen]\nbell = 'yes'\n", 2, "screen.bell", "such as true"),
        ("[[network.private]]\nhost = 'a'\nport = 1\n", None, "", ""),
        ("network.private = ['a:1', { host = 'b', port = 2 }]\n", None, "", ""),
        ("[image]\nbase = 'a'\ndockerfile = 'b'\n", 3, "image.dockerfile", "keep one of them"),
        ("[claude]\nmodel = 'a\\nb'\n", None, "", ""),
        ("[claude\n", 1, "", "mend that line"),
        ("[claude]\nmodel = 'a'\nmodel = 'b'\n", 3, "", "mend that line"),
    ],
)
def test_a_problem_is_placed_and_explained(
    text: str, line: int | None, key: str, hint: str
) -> None:
    if not key and not hint:
        assert checked(text)[1] == []
    else:
        assert found(text) == [(line, key, hint)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("host = 'a'", "missing required field `port`"),
        ("host = 'a'\nport = 0", "`int` >= 1"),
        ("host = 'a'\nport = 65536", "`int` <= 65535"),
        ("host = 'a'\nport = '80'", "`int`"),
        ("host = 1\nport = 80", "`str`"),
        ("host = 'a'\nport = 80\nname = 'x'", "unknown field `name`"),
        ('host = "a\\u0007"\nport = 80', "control character"),
    ],
)
def test_a_table_of_a_private_host_that_is_wrong_is_explained(table: str, said: str) -> None:
    good = "[[network.private]]\nhost = 'a'\nport = 80\n"
    [problem] = checked(f"{good}[[network.private]]\n{table}\n")[1]
    assert (problem.line, problem.key) == (1, "network.private")
    assert said in problem.message
    assert "[[network.private]] with host and port" in problem.hint or "plain text" in problem.hint


def test_all_problems_are_found_in_the_order_of_their_lines() -> None:
    text = "[sandbox]\ncpus = 'x'\npids = 1\n[clade]\n[claude]\nmodell = ''\n"
    assert [(line, key) for line, key, _ in found(text)] == [
        (2, "sandbox.cpus"),
        (3, "sandbox.pids"),
        (4, "clade"),
        (6, "claude.modell"),
    ]


def test_what_is_hostile_in_a_key_does_not_reach_the_terminal() -> None:
    [problem] = checked('[claude]\n"\\u001b[31m\\u202e" = 1\n')[1]
    error = problem.error("file")
    assert "\x1b" not in error.message + error.hint
    assert "\u202e" not in error.message + error.hint


def test_lines_are_found_behind_texts_that_look_like_keys() -> None:
    text = '''\
[claude]
model = """
pids = 1 # [sandbox]
"""  # = [
base_url = '[sandbox]'

[ sandbox ] # x
"pids" = 3
network   =   "a"
[[other.table]]
list = [
  "a", # ]
  { b = 1 },
]
last = 1
'''
    lines = lines_of(text)
    assert lines[("claude", "model")] == 2
    assert lines[("claude", "base_url")] == 5
    assert lines[("sandbox",)] == 7
    assert lines[("sandbox", "pids")] == 8
    assert lines[("sandbox", "network")] == 9
    assert lines[("other", "table", "list")] == 11
    assert lines[("other", "table", "last")] == 15


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.one_of(texts, st.booleans(), st.integers(-(2**40), 2**40))


@given(st.lists(st.tuples(st.sampled_from(["a", "b c", "d.e", "ü"]), values), max_size=6))
def test_every_key_of_any_table_has_its_own_line(pairs: list[tuple[str, Any]]) -> None:
    table = dict(pairs)
    rows = [f"{toml_value(name)} = {toml_value(value)}" for name, value in table.items()]
    text = "\n".join(["[top]", *rows]) + "\n"
    assert tomllib.loads(text) == {"top": table}
    lines = lines_of(text)
    assert [lines[("top", name)] for name in table] == list(range(2, len(table) + 2))


@given(st.text(max_size=200))
def test_no_text_makes_the_check_fail(text: str) -> None:
    for problem in checked(text)[1]:
        assert isinstance(problem, Problem)
        assert one_line(problem.message, 500) == problem.message


def test_every_key_is_explained_once() -> None:
    abouts = [key.about for key in known_keys()]
    assert all(abouts)
    assert len(set(abouts)) == len(abouts)


@pytest.mark.parametrize("value", ["a\\nRUN evil", "a\\u0000", "\\u001b[31m"])
def test_a_text_with_control_characters_is_no_value(value: str) -> None:
    [(line, key, _)] = found(f'[image]\nbase = "{value}"\n')
    assert (line, key) == (2, "image.base")


def test_bindings_are_checked_as_everything_else() -> None:
    text = '[keys]\nbogus = "x"\nnew-tsk = "k"\ninbox = "n"\n"pane.search" = "ctrl+f"\nzoom = ""\n'
    assert [(line, key) for line, key, _ in found(text)] == [
        (2, "keys.bogus"),
        (3, "keys.new-tsk"),
        (4, "keys.inbox"),
        (6, "keys.zoom"),
    ]
    hints = [hint for _, _, hint in found(text)]
    assert hints[1] == "did you mean keys.new-task?"


def test_every_variable_that_the_code_names_is_known() -> None:
    code = Path(ctui.__file__).parent.rglob("*.py")
    pattern = re.compile(r'"(CTUI_[A-Z_]*[A-Z])"')
    named = {name for file in code for name in pattern.findall(file.read_text())}
    assert {"CTUI_HOME", "CTUI_CA_FILE"} <= named
    keys = {key.variable for key in known_keys()}
    assert variable_problems(dict.fromkeys({*named, *keys, *Paths.variables()}, "x")) == []
