"""SQL over a snapshot: the tables, the locked engine, examples, and where a row leads."""
