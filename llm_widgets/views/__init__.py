"""What is seen: views bind a state to widgets, and do nothing else."""
