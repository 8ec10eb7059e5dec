-- Suppliers, their qualification, and reagents prepared in house.
SELECT 1;
