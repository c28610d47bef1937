"""Pictures: decoding, resizing, normalisation, bundled photographs, labelled sets."""
