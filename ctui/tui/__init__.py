"""The screen: one Textual application over the driver's client."""

from __future__ import annotations

import os

# Read when Textual is loaded. A key's echo waits for the next of these frames; transcripts ask for
# thirty a second in any case (`frame_clock`).
os.environ.setdefault("TEXTUAL_FPS", "120")
