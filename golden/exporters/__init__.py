"""Writers of other frameworks' formats, as bytes; each needs that framework's libraries."""
