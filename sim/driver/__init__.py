"""The driver in C: its headers, the files that go with it, and a bench where it drives the RTL."""
