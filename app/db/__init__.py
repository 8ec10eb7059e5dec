"""PostgreSQL: the door, the tables, the questions and the writes."""
