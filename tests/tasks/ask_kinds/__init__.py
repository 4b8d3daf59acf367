"""Each kind of ask: its own tests, and `REQUESTS` of it for the tests of all kinds."""
