"""Calls of tasks to the model: the person's credential is added, and what they cost is counted.

What belongs here speaks the Messages API, as Anthropic, Bedrock and Vertex offer it; it knows no
process and nobody to ask but by the functions that it is given.
"""
