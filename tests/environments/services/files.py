"""Files of a commit that is none: what a definition's reader needs of one."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.errors import Refused


class FilesOfTest:
    """Some texts by their paths."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, path: str, limit: int) -> str | None:
        text = self._texts.get(path)
        if text is not None and len(text) > limit:
            raise Refused(f"{path} is larger than {limit >> 10} KB")
        return text

    def entry_id(self, path: str) -> str | None:
        there = any(one == path or one.startswith(f"{path}/") for one in self._texts)
        return path if there else None
