class Solution:
    def busiest_hour(self, times):
        rings = [0] * 60
        for time in times:
            rings[int(time[3:])] += 1
        return rings.index(max(rings))
