"""Trial of ctui without an account: a throwaway repository, and a model that follows a script."""

DEMO_VARIABLE = "CTUI_DEMO"
"""Variable that tells the dashboard of a demo to say that the model is scripted."""
