SELECT stage, platform, came_in, kept, dropped, merged, errors FROM funnel_by_platform ORDER BY position, platform;
