"""A person's repository as it is found: what kind it is, and whether it can be trusted and read."""
