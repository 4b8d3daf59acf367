"""The HTTP task API: tasks, asks and events for services, behind a token."""
