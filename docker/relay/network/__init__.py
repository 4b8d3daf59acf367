"""The task's end of its network: what is on loopback, and leads into the sockets of a gateway.

A task has no interface but loopback. Its way out and its way in are sockets in a folder that it
can only read. This program, which the relay starts and starts again, offers them in the way that
programs know: a proxy, names, ports. It holds no secret and decides nothing: whatever a task makes
of it, or in its place, the same is said to the same sockets.
"""
