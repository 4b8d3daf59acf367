"""The git directory of a task: what it sees of the repository. Nothing comes back from it here."""
