"""The checks of `ctui doctor`, and what mends them. Nothing here deletes."""
