"""What pages are made of: markup, tables, figures, theme."""
