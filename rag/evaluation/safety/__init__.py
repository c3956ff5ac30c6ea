"""Safety and bias as evaluation: sets that come with the program, their metrics, and counterfactual pairs."""
