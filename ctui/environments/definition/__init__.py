"""What a repository says of its environment, read and checked. Nothing is built here."""
