"""Reviews as every front end opens them, comments on them, and sends what was said."""
