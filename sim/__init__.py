"""Golden and hardware together: mapping, simulation, reports and the command line."""
