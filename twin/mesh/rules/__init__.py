"""What is decided on the mesh: one scalar function for each decision, called by both engines."""
