"""Reports of predicted cycles, and predictions compared with measurements."""
