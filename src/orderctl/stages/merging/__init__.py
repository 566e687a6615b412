"""The steps of `merge`: newest versions, groups, suggestions, and shipments put together."""
