"""Building blocks of pages: markup, tables, figures, theme."""
