"""A commit checked before it is landed: in its environment, as sealed as a set-up."""
