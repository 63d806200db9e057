def fewest_stamps(values, copies, fee):
    used = 0
    for value, limit in sorted(zip(values, copies), reverse=True):
        take = min(limit, fee // value)
        used += take
        fee -= take * value
    return -1 if fee else used
