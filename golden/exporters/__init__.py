"""Writers of other people's formats, as bytes; each needs the libraries of its field."""
