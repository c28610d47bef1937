"""Reports as single HTML pages with interactive figures and sortable tables."""
