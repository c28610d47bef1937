"""The commands of `mnv2`, one a file; each imports what is slow to load when it runs."""
