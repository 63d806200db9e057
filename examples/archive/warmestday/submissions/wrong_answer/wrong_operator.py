class Solution:
    def largest(self, values):
        return min(values)
