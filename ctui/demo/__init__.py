"""Trying ctui without an account: a throwaway repository, and a model that follows a script."""

DEMO_VARIABLE = "CTUI_DEMO"
"""Set for the dashboard of a demo, which then says that the model is scripted."""
