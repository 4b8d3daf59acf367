"""The files of small real projects: a dependency from a registry, a build, a test."""

from __future__ import annotations

from collections.abc import Mapping

_TYPESCRIPT = (
    "sha512-"
    "vcI4UpRgg81oIRUFwR0WSIHKt11nJ7SAVlYNIu+QpqeyXP+gpQJy/Z4+F0aGxSE4MqwjyXvW/TzgkLAx2AGHwQ=="
)

NODE: Mapping[str, str] = {
    ".gitignore": "node_modules/\nbuild/\n",
    ".ctui.toml": '[environment]\nsetup = "npm ci"\nenv = { GREETING = "Hello" }\n',
    "package.json": """{
  "name": "greeter",
  "version": "1.0.0",
  "private": true,
  "type": "module",
  "scripts": {"build": "tsc", "test": "node --test"},
  "devDependencies": {"typescript": "5.4.5"}
}
""",
    "package-lock.json": """{
  "name": "greeter",
  "version": "1.0.0",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "greeter",
      "version": "1.0.0",
      "devDependencies": {"typescript": "5.4.5"}
    },
    "node_modules/typescript": {
      "version": "5.4.5",
      "integrity": "SUM",
      "dev": true,
      "license": "Apache-2.0",
      "bin": {"tsc": "bin/tsc", "tsserver": "bin/tsserver"},
      "engines": {"node": ">=14.17"}
    }
  }
}
""".replace("SUM", _TYPESCRIPT),
    "tsconfig.json": """{
  "compilerOptions": {"outDir": "build", "rootDir": "src", "module": "es2022", "target": "es2022"},
  "include": ["src"]
}
""",
    "src/greet.ts": (
        "export function greet(name: string, word: string): string {\n"
        "  return `${word}, ${name}!`;\n}\n"
    ),
    "test/greet.test.mjs": """import assert from "node:assert";
import test from "node:test";
import { greet } from "../build/greet.js";

test("greets", () => assert.equal(greet("Ada", process.env.GREETING), "Hello, Ada!"));
""",
}

PYTHON: Mapping[str, str] = {
    ".gitignore": ".venv/\n__pycache__/\n",
    ".devcontainer/devcontainer.json": """{
  // Comments and trailing commas are what people write.
  "name": "Shapes",
  "build": {"dockerfile": "Dockerfile", "args": {"TOOL": "ruler"}},
  "containerEnv": {"UNIT": "${localEnv:UNIT:cm}", "LD_PRELOAD": "/tmp/evil.so"},
  "remoteEnv": {"PATH": "${containerWorkspaceFolder}/.venv/bin:${containerEnv:PATH}"},
  "remoteUser": "vscode",
  "initializeCommand": "touch /tmp/on-the-host",
  "runArgs": ["--privileged"],
  "mounts": ["source=cache,target=/cache,type=volume", "source=/,target=/host,type=bind"],
  "postCreateCommand": {
    "make": ["python3", "-m", "venv", ".venv"],
    "fill": ".venv/bin/pip install -q -r requirements.txt",
  },
}
""",
    ".devcontainer/Dockerfile": """FROM {base}
ARG TOOL
RUN echo $TOOL > /tool
RUN python3 -c "import ensurepip, venv" || \\
    { apt-get update && apt-get install -y --no-install-recommends python3-venv; }
""",
    "requirements.txt": "pytest==8.3.4\n",
    "shapes.py": "def area(width: int, height: int) -> int:\n    return width * height\n",
    "test_shapes.py": (
        "import os\n\nfrom shapes import area\n\n\ndef test_area() -> None:\n"
        '    assert (area(2, 3), os.environ["UNIT"]) == (6, "cm")\n'
    ),
}

GO: Mapping[str, str] = {
    ".gitignore": "bin/\n",
    ".ctui.toml": """[environment]
dockerfile = "docker/Dockerfile"
context = "docker"
setup = "go mod download && go build ./... && test $CGO_ENABLED = 0"
env = { CGO_ENABLED = "0" }
""",
    "docker/Dockerfile": (
        "FROM {base}\nRUN apt-get update && apt-get install -y --no-install-recommends golang-go\n"
    ),
    "go.mod": "module example.org/ids\n\ngo 1.19\n\nrequire github.com/google/uuid v1.6.0\n",
    "go.sum": """github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=
github.com/google/uuid v1.6.0/go.mod h1:TIyPZe4MgqvfeYDBFedMoGGpEw/LqOeaOT+nhxU+yHo=
""",
    "ids.go": """// Package ids makes names that nobody else has.
package ids

import "github.com/google/uuid"

// New returns one.
func New() string { return uuid.NewString() }
""",
    "ids_test.go": """package ids

import "testing"

func TestNew(t *testing.T) {
	if len(New()) != 36 || New() == New() {
		t.Fatal("no id")
	}
}
""",
}

POSTGRES: Mapping[str, str] = {
    ".gitignore": ".venv/\n__pycache__/\n",
    ".devcontainer/devcontainer.json": """{
  "name": "Notes",
  "dockerComposeFile": "compose.yml",
  "service": "app",
  "remoteEnv": {"PATH": "${containerWorkspaceFolder}/.venv/bin:${containerEnv:PATH}"},
  "postCreateCommand": "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt",
  "forwardPorts": [5432],
}
""",
    ".devcontainer/compose.yml": """version: "3.8"
services:
  app:
    image: {base}
    volumes: ["..:/workspaces/notes:cached"]
    command: sleep infinity
    network_mode: service:db
    environment:
      DATABASE_URL: postgresql://postgres:${POSTGRES_PASSWORD:-postgres}@db/notes
  db:
    image: {postgres}
    restart: unless-stopped
    privileged: true
    ports: ["5432:5432"]
    volumes:
      - data:/var/lib/postgresql/data
      - ./init:/docker-entrypoint-initdb.d:ro
      - /etc:/host/etc
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-postgres}
      POSTGRES_DB: notes
    healthcheck:
      test: [CMD-SHELL, "/usr/lib/postgresql/*/bin/pg_isready -h 127.0.0.1"]
      interval: 5s
  mail:
    image: mail
    profiles: [mail]
volumes:
  data:
""",
    ".devcontainer/init/notes.sql": "create table notes (text text not null);\n",
    "requirements.txt": "pytest==8.3.4\npsycopg[binary]==3.2.9\n",
    "notes.py": """import os

import psycopg


def add(text: str) -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("insert into notes values (%s)", (text,))
        return connection.execute("select count(*) from notes").fetchone()[0]
""",
    "test_notes.py": """from notes import add


def test_add() -> None:
    before = add("one")
    assert add("two") == before + 1
""",
}
