"""Processes of git: how one is started, in what environment, and how it ends."""
