"""How sections are registered, parsed (door), stored (shelf) and shown (projection). Floor: codec."""
