"""A report as one HTML page that holds all it needs: figures to point at, tables to sort."""
