"""Write the generated pages: `make docs`."""

from __future__ import annotations

from tests.docs.pages import DOCS, cli_page, schemas, setup_page


def main() -> None:
    """Write every page that `test_generated` compares."""
    folder = DOCS / "schemas"
    folder.mkdir(exist_ok=True)
    wanted = schemas()
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    setup = DOCS / "setup.md"
    setup.write_text(setup_page(setup.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
