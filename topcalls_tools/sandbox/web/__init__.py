"""What the sandbox answers over HTTP: the API, its controls, its page."""
