"""What leaves the house: pictures, numbers, and the record of a run."""
