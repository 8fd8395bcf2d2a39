"""Every decision of the floor, each one scalar function that both engines call."""
