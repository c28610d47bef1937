"""The memory port: read streams, writes, pauses, shared bandwidth."""
