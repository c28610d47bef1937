"""The search over designs for the Pareto-optimal accelerators, with their costs."""
