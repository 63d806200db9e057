SELECT stage, decision, reason, problems, example FROM why_dropped ORDER BY position, problems DESC, reason;
