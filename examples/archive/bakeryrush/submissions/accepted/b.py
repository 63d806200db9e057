from collections import Counter


class Solution:
    def busiest_hour(self, times):
        rings = Counter(int(time.split(":")[0]) for time in times)
        return min(rings, key=lambda hour: (-rings[hour], hour))
