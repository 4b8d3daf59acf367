from __future__ import annotations

import pytest

from ctui.demo.model.script import ScriptError, fenced, parse, scripts_in
from ctui.demo.model.steps import Cut, Fail, Hang, Pace, Say, Step, Think, Tool, Usage, Wait


def only_step(line: str) -> Step:
    ((step,),) = (call.steps for call in parse(line))
    return step


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("say Hello  there.", Say("Hello  there.")),
        ("say", Say("")),
        (r'say-json "\u001b[31mred\u202e"', Say("\x1b[31mred\u202e")),
        ("think Hm.", Think("Hm.")),
        ("bash npm test # all", Tool("Bash", {"command": "npm test # all"})),
        ("read src/main.py", Tool("Read", {"file_path": "src/main.py"})),
        ("write a.txt one", Tool("Write", {"file_path": "a.txt", "content": "one\n"})),
        (
            "edit a.py x = 1 => x = 2",
            Tool("Edit", {"file_path": "a.py", "old_string": "x = 1", "new_string": "x = 2"}),
        ),
        ("plan Do it.", Tool("ExitPlanMode", {"plan": "Do it."})),
        ('tool Glob {"pattern": "*.py"}', Tool("Glob", {"pattern": "*.py"})),
        ("tool EnterPlanMode", Tool("EnterPlanMode", {})),
        ("fail 529 2", Fail(529, 2)),
        ("fail 401", Fail(401, 1)),
        ("fail 401 always", Fail(401, None)),
        ("cut", Cut(1)),
        ("cut always", Cut(None)),
        ("slow 50", Pace(50, 24)),
        ("slow 10 1000", Pace(10, 1000)),
        ("wait gate-1", Wait("gate-1")),
        ("hang", Hang()),
        ("usage 1000 20", Usage(1000, 20)),
        ("flood 3 lines", Say("line 1\nline 2\nline 3")),
    ],
)
def test_a_line_is_a_step(line: str, step: Step) -> None:
    assert only_step(line) == step


def test_a_flood_has_exactly_the_characters_that_were_asked_for() -> None:
    step = only_step("flood 1000003")
    assert isinstance(step, Say)
    assert len(step.text) == 1_000_003


def test_a_question_has_a_header_and_options_with_their_meaning() -> None:
    step = only_step("ask-many Which sizes? | Sizes | S: small: really | M")
    assert step == Tool(
        "AskUserQuestion",
        {
            "questions": [
                {
                    "question": "Which sizes?",
                    "header": "Sizes",
                    "options": [
                        {"label": "S", "description": "small: really"},
                        {"label": "M", "description": ""},
                    ],
                    "multiSelect": True,
                }
            ]
        },
    )


def test_also_adds_a_question_to_a_question() -> None:
    (call,) = parse("ask A? | A | x | y\nalso ask B? | B | x | y")
    (step,) = call.steps
    assert isinstance(step, Tool)
    assert [asked["question"] for asked in step.input["questions"]] == ["A?", "B?"]


def test_a_tool_request_ends_a_call_and_also_keeps_it_open() -> None:
    calls = parse("say One.\nbash a\nalso bash b\n\n# a comment\nsay Two.\nbash c")
    assert [call.tools for call in calls] == [2, 1]
    assert calls[0].steps[0] == Say("One.")


def test_text_between_end_words_is_taken_as_it_is() -> None:
    calls = parse("write a.py <<END\nif x:\n    # kept\n\n    bash y\nEND\nsay <<TEXT\n a\nTEXT")
    assert calls[0].steps == (
        Tool("Write", {"file_path": "a.py", "content": "if x:\n    # kept\n\n    bash y\n"}),
    )
    assert calls[1].steps == (Say(" a"),)


def test_an_edit_can_span_lines() -> None:
    step = only_step("edit a.py <<END\nx = 1\ny = 2\n=>\nz = 3\nEND")
    assert isinstance(step, Tool)
    assert (step.input["old_string"], step.input["new_string"]) == ("x = 1\ny = 2", "z = 3")


def test_on_error_lines_are_one_text() -> None:
    (call,) = parse("bash a\non-error say One.\non-error say Two.")
    assert call.on_error == "One.\nTwo."


@pytest.mark.parametrize(
    "line",
    [
        "dance",
        "bash",
        "read",
        "write",
        "edit a.py x = 1",
        "edit a.py  => y",
        "tool Glob [1]",
        "tool Glob {",
        "tool Glob " + "[" * 100_000,
        "say-json 7",
        "ask Which? | Head | one",
        "plan",
        "fail 200",
        "fail often",
        "fail 500 -1",
        "flood 16000001",
        "flood 9999999 lines",
        "flood 10 whales",
        "flood 1²",
        "slow never",
        "wait two words",
        "wait ../x",
        "hang on",
        "usage 1",
        "also bash x",
        "on-error say x",
        "say x <<END",
        "say hello <<END\nhello\nEND",
        "read <<END\na\nEND",
        "bash x\nalso say y",
        "bash x\non-error bash y",
    ],
)
def test_a_line_that_is_no_step_is_named(line: str) -> None:
    with pytest.raises(ScriptError, match=r"line [34] of the script \(`"):
        parse(f"say fine\n\n{line}")


def test_the_scripts_of_a_prompt_are_its_fenced_script_blocks() -> None:
    prompt = (
        "Do.\n```script\nsay a\n```\nand\n   ~~~~ script\n   say b\n     c\n~~~~\n```sh\nls\n```"
    )
    assert scripts_in(prompt) == ["say a", "say b\n  c"]


def test_a_script_that_is_quoted_in_a_longer_block_is_not_played() -> None:
    assert scripts_in("````md\n```script\nsay a\n```\n````") == []


def test_a_block_without_end_is_an_error() -> None:
    with pytest.raises(ScriptError, match="not closed"):
        scripts_in("```script\nsay a")


def test_any_lines_survive_being_fenced() -> None:
    lines = ("write a.md <<END", "```script", "say no", "```", "END", "say ````")
    assert scripts_in(f"Hello.\n{fenced(*lines)}\n") == ["\n".join(lines)]


def test_a_long_script_is_read_in_one_pass() -> None:
    calls = parse("say x\n" * 100_000)
    assert len(calls[0].steps) == 100_000
