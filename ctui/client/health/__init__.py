"""What `ctui doctor` looks at, and what mends it. Nothing here deletes."""
