"""Drawing at random: distributions as specifications write them, and the dice of a row."""
