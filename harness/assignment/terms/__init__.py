"""The fields of the contract, a file for each sort of program that they are about."""
