"""Questions that seem to want a secret, which a task must not get without a word of warning."""

from __future__ import annotations

import re
import unicodedata

_NAMES = frozenset(
    {"apikey", "auth", "authorization", "bearer", "cookie", "cookies", "credential", "credentials"}
    | {"contraseña", "cvv", "jwt", "kennwort", "key", "keys", "mnemonic", "otp", "pass", "passcode"}
    | {"passphrase", "passwd", "password", "passwords", "passwort", "pin", "private", "pwd"}
    | {"secret", "secrets", "seed", "senha", "ssn", "token", "tokens", "totp"}
)
"""Words of a field's name."""

_WORDS = re.compile(
    r"\b(pass ?(word|phrase|code)s?|passwd|secrets?|tokens?|credentials?|passwort|kennwort"
    r"|contraseña|senha|mot de passe|seed phrase|recovery (code|phrase)s?|one time (code|password)"
    r"|(api|access|private|secret|ssh|signing|encryption|deploy|license|gpg) keys?|netrc|jwt|otp)\b"
)
"""In a sentence, where `key` alone may be one of a keyboard or a table."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LOOKED_AT = 4000


def named_secret(name: str) -> bool:
    """Return True if a field of that name seems to want a secret: `apiKey`, `DB_PASSWORD`."""
    words = _WORD.findall(_plain(_HUMP.sub(" ", name[:_LOOKED_AT])))
    return not _NAMES.isdisjoint(words) or speaks_of_secret(name)


def speaks_of_secret(text: str) -> bool:
    """Return True if a sentence seems to ask for a secret."""
    return _WORDS.search(" ".join(_WORD.findall(_plain(text[:_LOOKED_AT])))) is not None


def _plain(text: str) -> str:
    """Return a text in small letters without what only makes it look different."""
    shown = unicodedata.normalize("NFKC", text)
    return "".join(
        letter
        for letter in shown
        if unicodedata.category(letter) not in {"Cf", "Cc", "Mn"} or letter in "\n\t"
    ).casefold()
