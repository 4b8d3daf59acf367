"""What a front end needs: the driver's calls, and streams that survive the driver's death."""

from ctui.client.client import Client

__all__ = ["Client"]
