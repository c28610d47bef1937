"""A network and a configuration in; tiling, descriptors and memory image out. No simulator."""
