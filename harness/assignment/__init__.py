"""What is asked: the contract, the assignment file, the rubric and the profiles."""
