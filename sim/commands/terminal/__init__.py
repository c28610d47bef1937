"""What commands print on: console, progress bars, the command line as typed."""
