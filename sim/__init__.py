"""Where golden and hardware meet: mapping, simulation, reports and the command line."""
