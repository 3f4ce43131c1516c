"""What happens over time: rhythms, points on a line, states, episodes and balances."""
