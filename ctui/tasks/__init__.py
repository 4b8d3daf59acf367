"""The engine, run by the driver: tasks, their runs, and what a person can do with them.

It never knows who asks: front ends speak to it by `calls`, over the driver's socket.
"""
