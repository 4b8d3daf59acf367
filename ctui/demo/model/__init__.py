"""Messages API whose answers are written in the prompt (docs/scripted-model.md).

Nothing in this folder imports anything outside it but Python's own library: a container that has
nothing of ctui but this folder runs it with `python3 FOLDER`.
"""
