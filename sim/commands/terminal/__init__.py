"""The terminal of the commands: console, progress bars, the command line as typed."""
