"""Long work: journal, resume, processes and clusters, cache, files that appear whole."""
