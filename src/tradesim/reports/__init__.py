"""From results to people: pages, figures, tables, documents."""
