"""From a plan to an image that tasks run in: context, Dockerfile, set-up, carried folders."""
