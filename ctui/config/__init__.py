"""The person's settings: their definition, their sources and their problems.

Precedence: command line (applied by the front end), environment, repository file, user file,
defaults. A repository file is untrusted, so only keys that cannot widen anything are read from it.
"""

from ctui.config.load import load_config
from ctui.config.model import Config
from ctui.config.own_sections import McpConfig, ScreenConfig, TaskConfig, WorktreeConfig
from ctui.config.sizes import parse_size
from ctui.config.task_sections import ClaudeConfig, ImageConfig, PermissionMode, SandboxConfig

__all__ = [
    "ClaudeConfig",
    "Config",
    "ImageConfig",
    "McpConfig",
    "PermissionMode",
    "SandboxConfig",
    "ScreenConfig",
    "TaskConfig",
    "WorktreeConfig",
    "load_config",
    "parse_size",
]
