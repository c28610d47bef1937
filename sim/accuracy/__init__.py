"""The accuracy of one network on a set of pictures: float, integer, in RTL."""
