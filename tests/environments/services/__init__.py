"""Services of an environment: tables of TOML and compose files."""
