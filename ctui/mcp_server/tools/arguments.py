"""Arguments that several tools take."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ctui.config.task_sections import NetworkMode
from ctui.mcp_server.protocol.tool_schema import LONGEST

TaskId = Annotated[str, Meta(max_length=LONGEST, description="The task's id.")]
Repo = Annotated[
    str,
    Meta(
        max_length=LONGEST,
        description="Folder in the repository; else here.",
    ),
]
WaitSeconds = Annotated[
    float,
    Meta(
        ge=0,
        le=50,
        description="Wait at most so long; call again to wait on.",
    ),
]
Variables = Annotated[dict[str, str], Meta(description="Variables.")]
Network = Annotated[NetworkMode | None, Meta(description="Reach; no wider than configured.")]
AllowHosts = Annotated[
    list[Annotated[str, Meta(max_length=LONGEST)]],
    Meta(max_length=64, description="Hosts of network.offer to reach unasked."),
]
SecretNames = Annotated[list[str], Meta(description="Names.")]
