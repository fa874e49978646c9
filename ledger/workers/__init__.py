"""Programs that `quanze up` starts beside itself: each imports only what it needs, and ends with its parent."""
