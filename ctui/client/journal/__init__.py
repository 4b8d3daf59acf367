"""A task's journal for whoever shows it: as bytes, from its end, or as plain lines."""
