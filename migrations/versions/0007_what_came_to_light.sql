-- What came to light later, and what it touches.
SELECT 1;
