"""`ctui completion`: what a shell needs to complete ctui's commands and names."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that makes a shell complete ctui.

    \b
    bash  add to ~/.bashrc:  eval "$(ctui completion bash)"
    zsh   add to ~/.zshrc:   eval "$(ctui completion zsh)"
    fish  ctui completion fish > ~/.config/fish/completions/ctui.fish
    """  # noqa: D301 - click's mark for lines that are not wrapped
    from click.shell_completion import get_completion_class

    from ctui.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    script = kind(cli, {}, "ctui", "_CTUI_COMPLETE")
    # `source()` of bash would start a bash only to learn its version.
    click.echo(script.source_template % script.source_vars())
