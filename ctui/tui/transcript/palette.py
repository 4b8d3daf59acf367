"""The colours of a transcript's styles, from the theme."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from ctui.tui.text.lines import STYLES
from ctui.tui.transcript.strips import Palette


def palette_of(widget: Widget) -> Palette:
    """Return every style of a widget that has the component classes `transcript--<style>`."""
    return {"": widget.rich_style} | {name: style_of(widget, name) for name in STYLES}


def style_of(widget: Widget, name: str, part: str = "transcript") -> Style:
    """Return a style's colours as they are on the widget's ground: a muted one is a mixture."""
    ground = widget.background_colors[1]
    found = widget.get_component_styles(f"{part}--{name}")
    style = found.text_style
    if found.has_rule("background"):
        ground = ground + found.background
        style += Style(bgcolor=ground.rich_color)
    if found.has_rule("color"):
        colour = ground.get_contrast_text(found.color.a) if found.auto_color else found.color
        style += Style(color=(ground + colour).rich_color)
    return style
