SELECT stage, came_in, kept, dropped, merged, errors FROM funnel ORDER BY position;
