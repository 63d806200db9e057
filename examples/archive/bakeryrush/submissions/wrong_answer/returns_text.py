class Solution:
    def busiest_hour(self, times):
        hours = sorted(time[:2] for time in times)
        return max(hours, key=hours.count)
