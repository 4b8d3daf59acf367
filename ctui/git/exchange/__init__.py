"""Traffic between a repository and a task's git directory: refs and objects, both ways."""
