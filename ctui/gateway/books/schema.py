"""Tables of the books, and the statements that fill them. A released step never changes."""

from __future__ import annotations

import sqlite3

from ctui.gateway.books.rows import Ending, NewCall, RequestRow, Usage

MIGRATIONS = (
    """
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, run TEXT NOT NULL, task TEXT NOT NULL,
        model TEXT NOT NULL, login TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
        up INTEGER NOT NULL,
        status INTEGER, whole INTEGER, dollars REAL, down INTEGER, ended INTEGER,
        input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER,
        cache_write_1h INTEGER, searches INTEGER, fast INTEGER
    );
    CREATE INDEX calls_by_task ON calls (task, id);
    CREATE INDEX open_calls ON calls (id) WHERE ended IS NULL;
    CREATE TABLE totals (
        task TEXT PRIMARY KEY, calls INTEGER NOT NULL, dollars REAL NOT NULL,
        input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL,
        cache_write INTEGER NOT NULL
    );
    CREATE TABLE requests (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, run TEXT NOT NULL,
        task TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL, verdict TEXT NOT NULL,
        rule TEXT NOT NULL, credential TEXT NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL,
        anomaly TEXT NOT NULL, over INTEGER NOT NULL
    );
    CREATE INDEX requests_by_task ON requests (task, id)
    """,
)

Values = tuple[object, ...]
Statement = tuple[str, Values]

_BEGIN = (
    "INSERT OR REPLACE INTO calls (id, at, run, task, model, login, host, port, up) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_USAGE = (
    "UPDATE calls SET input = ?, output = ?, cache_read = ?, cache_write = ?, cache_write_1h = ?, "
    "searches = ?, fast = ? WHERE id = ?"
)
_END = "UPDATE calls SET status = ?, whole = ?, dollars = ?, down = ?, ended = ? WHERE id = ?"
_TOTAL = (
    "INSERT INTO totals VALUES (?, 1, ?, ?, ?, ?, ?) ON CONFLICT (task) DO UPDATE SET "
    "calls = calls + 1, dollars = dollars + excluded.dollars, input = input + excluded.input, "
    "output = output + excluded.output, cache_read = cache_read + excluded.cache_read, "
    "cache_write = cache_write + excluded.cache_write"
)
_REQUEST = (
    "INSERT INTO requests (key, at, run, task, host, port, verdict, rule, credential, up, down, "
    "anomaly, over) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "verdict = excluded.verdict, rule = excluded.rule, credential = excluded.credential, "
    "up = excluded.up, down = excluded.down, "
    "anomaly = excluded.anomaly, over = excluded.over"
)


def begin(call: NewCall) -> Statement:
    values = (call.id, call.at, call.run, call.task, call.model, call.login, call.host, call.port)
    return _BEGIN, (*values, call.up)


def progress(call: int, usage: Usage) -> Statement:
    return _USAGE, (*_usage_values(usage), call)


def end(call: NewCall, ending: Ending) -> list[Statement]:
    used = ending.usage
    written = used.cache_write + used.cache_write_1h
    tokens = (used.input_tokens, used.output_tokens, used.cache_read, written)
    values = (ending.status, ending.whole, ending.dollars, ending.down, ending.at, call.id)
    return [
        progress(call.id, used),
        (_END, values),
        (_TOTAL, (call.task, ending.dollars, *tokens)),
    ]


def request(row: RequestRow) -> Statement:
    where = (row.key, row.at, row.run, row.task, row.host, row.port, row.verdict, row.rule)
    return _REQUEST, (*where, row.credential, row.up, row.down, row.anomaly, row.over)


def prune(table: str, task: str, most: int, most_in_all: int) -> list[Statement]:
    """Return what drops a table's oldest rows; calls that are under way stay."""
    ended = " AND ended IS NOT NULL" if table == "calls" else ""
    oldest = f"DELETE FROM {table} WHERE id <= (SELECT id FROM {table}"  # noqa: S608 - both are ours
    return [
        (
            f"{oldest} WHERE task = ? ORDER BY id DESC LIMIT 1 OFFSET ?) AND task = ?{ended}",
            (task, most, task),
        ),
        (f"{oldest} ORDER BY id DESC LIMIT 1 OFFSET ?){ended}", (most_in_all,)),
    ]


def call_of(row: sqlite3.Row) -> NewCall:
    return NewCall(*(row[name] for name in NewCall.__struct_fields__))


def usage_of(row: sqlite3.Row) -> Usage:
    return Usage(
        input_tokens=row["input"] or 0,
        output_tokens=row["output"] or 0,
        cache_read=row["cache_read"] or 0,
        cache_write=row["cache_write"] or 0,
        cache_write_1h=row["cache_write_1h"] or 0,
        searches=row["searches"] or 0,
        fast=bool(row["fast"]),
    )


def ending_of(row: sqlite3.Row) -> Ending | None:
    if row["ended"] is None:
        return None
    return Ending(
        row["status"], usage_of(row), row["dollars"], bool(row["whole"]), row["down"], row["ended"]
    )


def _usage_values(usage: Usage) -> Values:
    return (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read,
        usage.cache_write,
        usage.cache_write_1h,
        usage.searches,
        usage.fast,
    )
