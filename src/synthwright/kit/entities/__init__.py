"""People, firms, places and goods that do not exist, and the numbers that name them."""
