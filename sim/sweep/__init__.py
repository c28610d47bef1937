"""What each fixed-point format costs in accuracy: sets of pictures, points, measures, pictures."""
