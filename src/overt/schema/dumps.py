"""A process that holds keys leaves no picture of its memory behind when it crashes."""

from __future__ import annotations


def leave_none() -> None:
    """Forbid core dumps of this process and of those it starts, where the system has them."""
    try:
        import resource
    except ImportError:  # Windows: it keeps reports only where somebody asked for them
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
