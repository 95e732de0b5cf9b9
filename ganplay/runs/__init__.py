"""Training runs as folders: `store` makes and lists them, `worker` trains one, `manager` decides which may train."""
