"""Tunnels that are opened: those to a host for which the person has a credential, and no other.

The task ends its TLS here, by a certificate that an authority of this home makes, and a connection
of the gateway's own goes on, in which the person's credential stands in place of the task's.
"""
