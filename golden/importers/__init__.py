"""Readers of other people's files; the only part of golden that opens files."""
