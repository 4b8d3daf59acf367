"""The store's tables, as the steps that lead from an empty file to the newest version.

A step that was released never changes; a new need is a new step.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        worktree TEXT NOT NULL,
        repository TEXT NOT NULL,
        created INTEGER NOT NULL,
        removed INTEGER,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX tasks_worktree ON tasks (worktree);

    CREATE TABLE runs (
        task TEXT NOT NULL REFERENCES tasks (id),
        number INTEGER NOT NULL,
        container TEXT NOT NULL,
        created INTEGER NOT NULL,
        ended INTEGER,
        exit_code INTEGER,
        cost_before REAL NOT NULL,
        PRIMARY KEY (task, number)
    ) STRICT;

    CREATE TABLE asks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        task TEXT NOT NULL REFERENCES tasks (id),
        run INTEGER NOT NULL,
        request TEXT NOT NULL,
        kind TEXT NOT NULL,
        tool TEXT NOT NULL,
        title TEXT NOT NULL,
        input TEXT NOT NULL,
        details TEXT NOT NULL,
        state TEXT NOT NULL,
        created INTEGER NOT NULL,
        answer TEXT,
        UNIQUE (task, run, request)
    ) STRICT;
    CREATE INDEX asks_open ON asks (state) WHERE state IN ('pending', 'answered');

    CREATE TABLE messages (
        id TEXT PRIMARY KEY,
        task TEXT NOT NULL REFERENCES tasks (id),
        text TEXT NOT NULL,
        created INTEGER NOT NULL,
        delivered INTEGER
    ) STRICT;
    CREATE INDEX messages_open ON messages (task) WHERE delivered IS NULL;

    CREATE TABLE worktrees (
        path TEXT PRIMARY KEY,
        repository TEXT NOT NULL,
        record TEXT NOT NULL
    ) STRICT;

    CREATE TABLE trusted_repositories (
        repository TEXT PRIMARY KEY,
        trusted INTEGER NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE grants (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        tool TEXT NOT NULL,
        content TEXT NOT NULL,
        task TEXT NOT NULL,
        created INTEGER NOT NULL,
        UNIQUE (repository, tool, content)
    ) STRICT;
    """,
    """
    DROP INDEX asks_open;
    CREATE INDEX asks_state ON asks (state, task, run);
    DROP INDEX messages_open;
    CREATE INDEX messages_open ON messages (task, created) WHERE delivered IS NULL;
    CREATE INDEX messages_task ON messages (task, created);
    CREATE INDEX runs_open ON runs (created) WHERE ended IS NULL;
    CREATE INDEX tasks_listed ON tasks (created, id) WHERE removed IS NULL;
    CREATE INDEX tasks_removed ON tasks (created, id) WHERE removed IS NOT NULL;
    CREATE INDEX tasks_repository ON tasks (repository);
    CREATE INDEX worktrees_repository ON worktrees (repository);

    ALTER TABLE runs ADD COLUMN seen_out INTEGER;
    ALTER TABLE runs ADD COLUMN seen_err INTEGER;
    ALTER TABLE runs ADD COLUMN intent TEXT NOT NULL DEFAULT '';
    ALTER TABLE messages ADD COLUMN unattended INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN timeout INTEGER;

    CREATE TABLE quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        origin TEXT NOT NULL,
        row TEXT NOT NULL,
        reason TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE trust (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        digest TEXT NOT NULL,
        what TEXT NOT NULL,
        created INTEGER NOT NULL,
        UNIQUE (repository, digest)
    ) STRICT;
    INSERT INTO trust (repository, digest, what, created)
        SELECT repository, '', '', trusted FROM trusted_repositories;
    DROP TABLE trusted_repositories;
    """,
    """
    ALTER TABLE messages ADD COLUMN said INTEGER;
    ALTER TABLE tasks ADD COLUMN unfinished TEXT NOT NULL DEFAULT '';
    ALTER TABLE tasks ADD COLUMN config TEXT NOT NULL DEFAULT '';
    CREATE INDEX tasks_unfinished ON tasks (id) WHERE unfinished != '';
    """,
    """
    ALTER TABLE tasks ADD COLUMN variables TEXT NOT NULL DEFAULT '';
    ALTER TABLE tasks ADD COLUMN secrets_given INTEGER;
    """,
    """
    CREATE TABLE host_rules (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        repository TEXT NOT NULL,
        task TEXT NOT NULL,
        host TEXT NOT NULL,
        effect TEXT NOT NULL,
        created INTEGER NOT NULL,
        UNIQUE (repository, task, host)
    ) STRICT;
    CREATE INDEX host_rules_task ON host_rules (task);
    """,
    """
    ALTER TABLE messages ADD COLUMN attached TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE turns (
        task TEXT NOT NULL REFERENCES tasks (id),
        turn INTEGER NOT NULL,
        run INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        started INTEGER NOT NULL,
        ended INTEGER,
        snapshot TEXT NOT NULL,
        files INTEGER,
        added INTEGER,
        removed INTEGER,
        cost_before REAL NOT NULL,
        cost_usd REAL NOT NULL,
        head TEXT NOT NULL,
        PRIMARY KEY (task, turn)
    ) STRICT;
    """,
    """
    CREATE TABLE threads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        worktree TEXT NOT NULL,
        path TEXT NOT NULL,
        side TEXT NOT NULL,
        first INTEGER NOT NULL,
        quote TEXT NOT NULL,
        commit_id TEXT NOT NULL,
        created INTEGER NOT NULL,
        resolved INTEGER
    ) STRICT;
    CREATE INDEX threads_worktree ON threads (worktree, created);

    CREATE TABLE remarks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        thread INTEGER NOT NULL REFERENCES threads (id),
        author TEXT NOT NULL,
        task TEXT NOT NULL,
        text TEXT NOT NULL,
        created INTEGER NOT NULL,
        sent INTEGER
    ) STRICT;
    CREATE INDEX remarks_thread ON remarks (thread);

    CREATE TABLE read_marks (
        worktree TEXT NOT NULL,
        path TEXT NOT NULL,
        content TEXT NOT NULL,
        created INTEGER NOT NULL,
        PRIMARY KEY (worktree, path, content)
    ) STRICT;

    CREATE TABLE looks (
        worktree TEXT PRIMARY KEY,
        tree TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;
    """,
)
