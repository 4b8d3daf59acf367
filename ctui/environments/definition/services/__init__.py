"""Services of an environment as a definition says them: tables of TOML, and compose files.

What starts and watches them is `sandbox/docker/services`; nothing here knows an engine.
"""
