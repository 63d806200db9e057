class Solution:
    def busiest_hour(self, times):
        rings = [0] * 24
        for time in times:
            rings[int(time[:2])] += 1
        return max(range(24), key=lambda hour: (rings[hour], hour))
