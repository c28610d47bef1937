"""Reports side by side: layer by layer, with resources, energy and differences; what-if tables."""
