"""Which warehouse sends what: stock dealt out, shipments split and put together again."""
