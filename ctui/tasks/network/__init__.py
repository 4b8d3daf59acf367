"""The network of tasks as the driver knows it: rules of hosts, and what a run has of the gateway.

What goes through is decided in the gateway, which knows no task; nothing here opens a connection.
"""
