"""The report of a run: records, figures, tables and files."""
