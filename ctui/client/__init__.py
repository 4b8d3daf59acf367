"""The driver for front ends: its calls, and streams that survive the driver's death."""
