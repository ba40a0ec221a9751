"""Pictures of the wizard for its documentation, taken in a terminal while keys are typed."""
