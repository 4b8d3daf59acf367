"""Real projects of several ecosystems: set up, built and tested in tasks."""
