"""Networks as users have them: opening, inputs, outputs, comparison, export."""
