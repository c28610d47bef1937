"""The search over designs: which accelerators no other beats, at what they cost."""
