-- The house itself: equipment that is fit, rooms, documents, who is responsible.
SELECT 1;
