"""A journal as lines: each thing is said once."""

from __future__ import annotations

from typing import Any

from ctui.client.journal.plain import PlainJournal
from ctui.tasks.journal.archive import Entry
from tests.claude import lines


def said(*journal: bytes, echoed: tuple[str, ...] = ()) -> list[str]:
    plain = PlainJournal(echoed)
    entries = [Entry(number, 1, "out", line.decode()) for number, line in enumerate(journal)]
    return [line for entry in entries for line in plain.lines(entry)]


def test_a_message_that_was_sent_again_is_printed_once() -> None:
    """S6: after a crash the CLI echoes what it had taken before."""
    hello = lines.assistant("m", lines.text("Hello."))
    journal = [lines.echo("a", "first"), lines.echo("a", "first"), hello, lines.echo("a", "first")]
    assert said(*journal) == ["> first", "Hello."]
    assert said(*journal, echoed=("a",)) == ["Hello."]


def test_messages_that_the_cli_merged_are_printed_apart() -> None:
    """S6, beside it: the last echo has the texts of all that waited together."""
    journal = [lines.echo("a", "first"), lines.echo("a", "first"), lines.echo("b", "first\nsecond")]
    assert said(*journal) == ["> first", "> second"]


def test_a_failure_of_the_api_is_printed_once() -> None:
    """S21: the CLI says it as a message and again as the turn's result."""
    failure = "API Error: 529 overloaded"
    speech = lines.assistant("m", lines.text(failure))
    end = lines.result(is_error=True, result=failure, api_error_status=529)
    assert said(speech, end)[0] == failure
    assert [line for line in said(speech, end) if failure in line] == [failure]
    assert said(end)[0] == failure
    other = lines.result(is_error=True, result="something else")
    assert "something else" in said(speech, other)


def test_a_turns_end_says_what_the_task_cost_in_all_its_runs() -> None:
    """T23: the CLI counts anew in each run; a command of its own says no cost at all."""

    def ends(plain: PlainJournal, *turns: tuple[int, float]) -> list[str]:
        entries = [Entry(1, run, "out", lines.result(cost).decode()) for run, cost in turns]
        return [line for entry in entries for line in plain.lines(entry)]

    whole = [(1, 0.01), (1, 0.02), (2, 0.01), (2, 0.0), (3, 0.05)]
    assert [line.split("$")[1] for line in ends(PlainJournal(), *whole)] == [
        f"{cost:.4f} so far)" for cost in (0.01, 0.02, 0.03, 0.03, 0.08)
    ]
    behind = PlainJournal(costs_before={2: 0.02, 3: 0.03})
    assert ends(behind, (3, 0.05)) == ["✓ done (1.2 s, $0.0800 so far)"]
    behind = PlainJournal(costs_before={2: 0.02, 3: 0.03})
    assert ends(behind, (2, 0.04), (3, 0.01)) == [
        "✓ done (1.2 s, $0.0600 so far)",
        "✓ done (1.2 s, $0.0700 so far)",
    ]


def test_how_a_turn_failed_is_known_until_the_next_one_ends() -> None:
    """S21, beside it: an interrupted turn is no failure, and a good one clears it."""
    plain = PlainJournal()

    def failure(**facts: Any) -> str:
        plain.lines(Entry(1, 1, "out", lines.result(**facts).decode()))
        return plain.failure

    assert failure(is_error=True, result="bad\x1b[2J news") == "bad news"
    assert failure(is_error=True, terminal_reason="aborted_tools") == ""
    assert failure(is_error=True, result="worse") == "worse"
    assert failure(result="fine") == ""
