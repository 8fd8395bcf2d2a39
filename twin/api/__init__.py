"""The façade: what the two documents describe, answered by a twin in this process."""
