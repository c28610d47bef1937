"""Cost of each unit of the accelerator, declared once: a file for each family of units."""
