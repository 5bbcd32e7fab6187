"""What runs outside the page: imports, carried out by a Cloud Run job or a process of its own."""
