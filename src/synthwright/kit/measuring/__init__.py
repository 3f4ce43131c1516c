"""What metrics count with: distances, chance, attacks, copies, and what a second real sample would score."""
