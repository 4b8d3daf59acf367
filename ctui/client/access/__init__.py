"""A person's way into a task's sandbox: commands, shells, ssh, files; and what it takes to run."""
