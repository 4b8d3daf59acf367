"""Jobs, which take time in a run's life. A job changes nothing: its end, or what it reads, is mail.

All jobs can be cancelled at any moment. One that makes a sandbox then removes it.
"""
