"""Memories by the name of their part: what standards say of them, and what that leaves."""
