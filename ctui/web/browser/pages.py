"""The pages, and the headers that keep them what they are."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from starlette.responses import HTMLResponse, Response

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With this a browser sends `Origin: null` with a form (Fetch, 3.2), so scripts send ours.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def page(title: str, body: str, *, status: int = 200, script: str = "") -> HTMLResponse:
    """Return a page of ours. `title` is text, `body` is HTML."""
    run = f'<script type="module" src="/browser/{script}"></script>' if script else ""
    return HTMLResponse(
        "<!doctype html>"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="/browser/icon.svg"><link rel="stylesheet" href="/browser/page.css">'
        f"{run}</head><body>{body}</body></html>",
        status_code=status,
        headers=dict(HEADERS),
    )


def login_page() -> Response:
    """Return the page that asks for the token."""
    return page(
        "ctui",
        '<main class="card"><h1>ctui</h1>'
        '<form method="post" action="/login"><label for="token">Token</label>'
        '<input id="token" name="token" type="password" required autofocus'
        ' autocomplete="current-password" maxlength="512">'
        '<button disabled>Log in</button></form><p class="problem" role="alert" hidden></p>'
        "<p><code>ctui serve token show</code> prints it.</p>"
        "<noscript><p>The dashboard needs JavaScript.</p></noscript></main>",
        script="login.js",
    )


def dashboard_page(title: str) -> Response:
    """Return a page with the terminal, a line above it, and a notice over it."""
    return page(
        f"{title} · ctui",
        f'<header><b>ctui</b><span id="name">{escape(title)}</span>'
        '<button id="logout">log out</button></header>'
        '<div id="screen"><div id="rows" role="log" aria-live="off"></div>'
        '<div id="cursor" hidden></div>'
        '<textarea id="keys" aria-label="keyboard" autocapitalize="off" autocomplete="off"'
        ' autocorrect="off" spellcheck="false"></textarea></div>'
        '<div id="notice" role="alert" hidden><p></p><p></p></div>'
        "<noscript><p>The dashboard needs JavaScript.</p></noscript>",
        script="main.js",
    )


def notice_page(title: str, text: str, *, status: int) -> Response:
    """Return a page with one sentence."""
    body = f'<main class="card"><h1>{escape(title)}</h1><p>{escape(text)}</p></main>'
    return page(title, body, status=status)


def static_files() -> dict[str, Response]:
    """Return all files that there are, by name: nothing else can be asked for."""
    return {
        path.name: Response(
            path.read_bytes(),
            media_type=_TYPES[path.suffix],
            headers={**HEADERS, "Cache-Control": "no-cache"},
        )
        for path in (Path(__file__).parent / "static").iterdir()
        if path.suffix in _TYPES
    }
